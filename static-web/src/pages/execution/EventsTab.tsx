import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '~/api/client';
import { eventsQuery } from '~/api/queries';
import type { EventRecord, VerifyView } from '~/api/types';
import { clock, count } from '~/model/format';
import { countedTypes } from '~/model/trace';
import { Button } from '~/ui/Button';
import { MoreButton } from '~/ui/list';
import { ErrorNote, Loading } from '~/ui/states';
import { JsonBlock } from '~/ui/Value';

const verdicts: Record<VerifyView['verdict'], { text: string; className: string }> = {
  identical: { text: 'Identical: every record was decided again from what is stored, and the bytes are equal.', className: 'bg-good-wash text-good' },
  consistent: { text: 'Consistent: chain and digests hold. An older kernel wrote it, so nothing is claimed about deciding it again.', className: 'bg-good-wash text-good' },
  erased: { text: 'Erased: the keys of this run were destroyed. The chain still holds.', className: 'bg-sunken text-ink-2' },
  corrupt: { text: 'Corrupt: the log does not add up.', className: 'bg-bad-wash text-bad' },
};

/** The only truth there is, as it is stored. */
export function EventsTab({ execution, upTo }: { execution: string; upTo: number | undefined }) {
  const events = useInfiniteQuery(eventsQuery(execution));
  const verify = useMutation({ mutationFn: () => api.verify(execution) });
  if (events.isError && !events.data) return <ErrorNote error={events.error} retry={() => void events.refetch()} />;
  if (!events.data) return <Loading label="Loading the events" />;
  const records = events.data.pages.flatMap((page) => page.items).filter((record) => upTo === undefined || record.seq <= upTo);
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center gap-3">
        <Button small busy={verify.isPending} onClick={() => verify.mutate()}>Verify the log</Button>
        <span role="status">
          {verify.data && <span className={`rounded-lg px-3 py-1.5 ${verdicts[verify.data.verdict].className}`}>{verdicts[verify.data.verdict].text} {count(verify.data.records, 'record')}. {verify.data.detail}</span>}
        </span>
      </div>
      {verify.isError && <ErrorNote error={verify.error} />}
      <ol aria-label="Records" className="card divide-y divide-line">
        {records.map((record) => <Record key={record.seq} record={record} />)}
      </ol>
      <MoreButton query={events} what="records" />
    </div>
  );
}

/** Its events are written out once somebody looks: one record may hold thousands. */
function Record({ record }: { record: EventRecord }) {
  const [open, setOpen] = useState(false);
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary data-list-item className="grid cursor-pointer grid-cols-[3ch_auto_1fr] items-baseline gap-x-4 px-4 py-2 hover:bg-sunken">
          <span className="text-right font-mono text-[0.84rem] text-ink-3">{record.seq}</span>
          <span className="font-mono text-[0.84rem] text-ink-2">{clock(record.at, true)}</span>
          <span className="flex min-w-0 flex-wrap gap-x-3 max-sm:col-span-3">
            <span className="font-semibold">{record.command}</span>
            <span className="font-mono text-[0.82rem] break-words text-ink-2">{countedTypes(record.events)}</span>
          </span>
        </summary>
        {open && (
          <div className="flex flex-col gap-2 px-4 pb-4">
            <JsonBlock value={record.events} label={`Events of record ${record.seq}`} />
            <p className="font-mono text-[0.78rem] break-all text-ink-3">kernel {record.kernel}, hash {record.hash}</p>
          </div>
        )}
      </details>
    </li>
  );
}
