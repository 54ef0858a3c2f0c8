import { useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import { timelineQuery } from '~/api/queries';
import type { Severity } from '~/api/types';
import { clock } from '~/model/format';
import { byRecord, shownLines } from '~/model/trace';
import { ErrorNote, Loading } from '~/ui/states';

const dots: Record<Severity, string> = { info: 'bg-edge', success: 'bg-good', warning: 'bg-wait', error: 'bg-bad rotate-45 rounded-none' };

/** Beyond this many records, only those in sight are in the page, and the list scrolls within itself. */
const allAtOnceMax = 150;

/** As many as are loaded of a long run. */
const linesMax = 10_000;

type Line = ReturnType<typeof byRecord>[number];
interface TimelineProps {
  execution: string;
  /** Its last record: what lies behind the last line that was loaded is said. */
  newest: number;
  at: number | undefined;
  onTravel: (seq: number) => void;
}

/** The log made for reading; a press shows the state after that record. */
export function Timeline({ execution, newest, at, onTravel }: TimelineProps) {
  const timeline = useQuery(timelineQuery(execution));
  if (timeline.isError && !timeline.data) return <ErrorNote error={timeline.error} retry={() => void timeline.refetch()} />;
  if (!timeline.data) return <Loading label="Loading the timeline" />;
  const lines = byRecord(timeline.data);
  const last = lines.at(-1)?.seq ?? newest;
  if (lines.length > allAtOnceMax) {
    return (
      <>
        {timeline.data.length >= linesMax && last < newest && <p className="text-[0.9rem] text-ink-2">The lines up to record {last.toLocaleString('en')} of {newest.toLocaleString('en')}; what came after is among the raw events.</p>}
        <InSight lines={lines} at={at} onTravel={onTravel} />
      </>
    );
  }
  return <ol aria-label="Timeline" className="flex flex-col">{lines.map((line) => <li key={line.seq} className="border-b border-line last:border-none"><Moment line={line} at={at} onTravel={onTravel} /></li>)}</ol>;
}

function InSight({ lines, at, onTravel }: { lines: Line[]; at: number | undefined; onTravel: (seq: number) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => box.current, estimateSize: () => 42, overscan: 12, getItemKey: (index) => lines[index]!.seq });
  return (
    <div ref={box} tabIndex={0} role="region" aria-label={`Timeline, ${lines.length} records`} className="max-h-[72vh] overflow-y-auto">
      <ol className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => (
          <li key={item.key} ref={virtual.measureElement} data-index={item.index} aria-setsize={lines.length} aria-posinset={item.index + 1} className="absolute inset-x-0 top-0 border-b border-line" style={{ transform: `translateY(${item.start}px)` }}>
            <Moment line={lines[item.index]!} at={at} onTravel={onTravel} />
          </li>
        ))}
      </ol>
    </div>
  );
}

function Moment({ line: record, at, onTravel }: { line: Line; at: number | undefined; onTravel: (seq: number) => void }) {
  const ahead = at !== undefined && record.seq > at;
  const { shown, omitted } = shownLines(record.entries);
  return (
    <button type="button" data-list-item aria-current={record.seq === at || undefined} onClick={() => onTravel(record.seq)} className={`grid w-full grid-cols-[auto_1fr] gap-x-3 rounded-lg px-2 py-2 text-left hover:bg-sunken aria-[current]:bg-running-wash ${ahead ? 'border-l-2 border-dashed border-edge' : ''}`}>
      <span className="pt-0.5 font-mono text-[0.8rem] text-ink-3">{clock(record.at, true)}</span>
      <span className="flex min-w-0 flex-col gap-0.5">
        {shown.map((entry, index) => (
          <span key={index} className="flex gap-2.5">
            <span aria-hidden="true" className={`mt-[7px] size-2 shrink-0 rounded-full ${dots[entry.severity]}`} />
            <span className={`min-w-0 text-[0.93rem] ${ahead ? 'text-ink-3' : ''}`}>
              {entry.severity === 'error' && <span className="sr-only">Error: </span>}{entry.title}
              {entry.detail && <span className="block text-[0.87rem] text-ink-2">{entry.detail}</span>}
            </span>
          </span>
        ))}
        {omitted > 0 && <span className="pl-[18px] text-[0.87rem] text-ink-2">and {omitted.toLocaleString('en')} more lines of this record, all in the raw events</span>}
      </span>
    </button>
  );
}
