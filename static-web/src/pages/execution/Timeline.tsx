import { useQuery } from '@tanstack/react-query';
import { timelineQuery } from '~/api/queries';
import type { Severity } from '~/api/types';
import { clock } from '~/model/format';
import { byRecord } from '~/model/trace';
import { ErrorNote, Loading } from '~/ui/states';

const dots: Record<Severity, string> = { info: 'bg-edge', success: 'bg-good', warning: 'bg-wait', error: 'bg-bad rotate-45 rounded-none' };

/** The log made for reading; a press shows the state after that record. */
export function Timeline({ execution, at, onTravel }: { execution: string; at: number | undefined; onTravel: (seq: number) => void }) {
  const timeline = useQuery(timelineQuery(execution));
  if (timeline.isError && !timeline.data) return <ErrorNote error={timeline.error} retry={() => void timeline.refetch()} />;
  if (!timeline.data) return <Loading label="Loading the timeline" />;
  return (
    <ol aria-label="Timeline" className="flex flex-col">
      {byRecord(timeline.data).map((record) => {
        const ahead = at !== undefined && record.seq > at;
        return (
          <li key={record.seq} className="border-b border-line last:border-none">
            <button type="button" data-list-item aria-current={record.seq === at || undefined} onClick={() => onTravel(record.seq)} className={`grid w-full grid-cols-[auto_1fr] gap-x-3 rounded-lg px-2 py-2 text-left hover:bg-sunken aria-[current]:bg-running-wash ${ahead ? 'border-l-2 border-dashed border-edge' : ''}`}>
              <span className="pt-0.5 font-mono text-[0.8rem] text-ink-3">{clock(record.at, true)}</span>
              <span className="flex min-w-0 flex-col gap-0.5">
                {record.entries.map((entry, index) => (
                  <span key={index} className="flex gap-2.5">
                    <span aria-hidden="true" className={`mt-[7px] size-2 shrink-0 rounded-full ${dots[entry.severity]}`} />
                    <span className={`min-w-0 text-[0.93rem] ${ahead ? 'text-ink-3' : ''}`}>
                      {entry.severity === 'error' && <span className="sr-only">Error: </span>}{entry.title}
                      {entry.detail && <span className="block text-[0.87rem] text-ink-2">{entry.detail}</span>}
                    </span>
                  </span>
                ))}
              </span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}
