import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { diffQuery } from '~/api/queries';
import type { ExecutionView } from '~/api/types';
import { count, preview } from '~/model/format';
import { ErrorNote, Loading } from '~/ui/states';

const signs = { added: '+', removed: '−', changed: '~' } as const;
const tones = { added: 'text-good', removed: 'text-bad', changed: 'text-wait' } as const;

/** What changed between two points of the log: what one record did, or everything since another. */
export function ChangesTab({ view, newest }: { view: ExecutionView; newest: number }) {
  const to = view.seq;
  const [since, setSince] = useState<number>();
  const from = Math.min(since ?? to - 1, to - 1);
  const diff = useQuery({ ...diffQuery(view.id, Math.max(1, from), to), enabled: to > 1, placeholderData: keepPreviousData });
  return (
    <div className="flex flex-col gap-4">
      <p className="flex flex-wrap items-center gap-x-3 gap-y-2">
        What changed from record
        <input type="number" min={1} max={Math.max(1, to - 1)} value={from} onChange={(event) => setSince(Math.max(1, Number(event.target.value)))} aria-label="From record" className="field min-h-9 w-24 font-mono" data-testid="diff-from" />
        to {to} of {newest}
        {to > 2 && from > 1 && <button type="button" className="font-semibold underline underline-offset-2" onClick={() => setSince(1)}>everything since the beginning</button>}
        {since !== undefined && <button type="button" className="font-semibold underline underline-offset-2" onClick={() => setSince(undefined)}>only what record {to} did</button>}
      </p>
      {to < 2 && <p className="text-ink-2">The first record has nothing before it.</p>}
      {diff.isError && <ErrorNote error={diff.error} retry={() => void diff.refetch()} />}
      {diff.isPending && to > 1 && <Loading lines={5} label="Comparing the states" />}
      {diff.data && (
        <>
          <p role="status" className="font-semibold">{diff.data.changes.length === 0 ? to - from === 1 ? `The state is the same: record ${to} tells of something beside the steps, as a notification that went out.` : 'The state is the same.' : count(diff.data.changes.length, 'place differs', 'places differ')}</p>
          <ul aria-label="Changes" data-testid="changes" className="card divide-y divide-line empty:hidden">
            {diff.data.changes.slice(0, 400).map((change) => (
              <li key={change.pointer} className="grid gap-x-5 gap-y-1 px-4 py-2 md:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
                <span className="flex gap-2.5"><span aria-label={change.kind} role="img" className={`font-mono font-bold ${tones[change.kind]}`}>{signs[change.kind]}</span><code className="min-w-0 font-mono text-[0.84rem] break-all">{readable(change.pointer)}</code></span>
                <span className="flex min-w-0 flex-col font-mono text-[0.84rem]">
                  {change.before !== undefined && <del className="break-words text-ink-2 decoration-bad">{preview(change.before, 200)}</del>}
                  {change.after !== undefined && <ins className="break-words no-underline">{preview(change.after, 200)}</ins>}
                </span>
              </li>
            ))}
          </ul>
          {diff.data.changes.length > 400 && <p className="text-ink-2">The first 400 are shown. Choose a smaller span.</p>}
        </>
      )}
    </div>
  );
}

/** `/steps/terms~12/status` -> `steps / terms/2 / status`, as a path that reads. */
const readable = (pointer: string) => pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')).join(' › ');
