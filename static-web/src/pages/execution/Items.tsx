import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { itemsQuery } from '~/api/queries';
import type { StepView } from '~/api/types';
import { count, preview } from '~/model/format';
import { stepLook } from '~/model/status';
import { StatusPill } from '~/ui/Glyph';
import { Filter, MoreButton } from '~/ui/list';
import { ErrorNote, Loading } from '~/ui/states';
import { Call, FailureNote } from './StepParts';

/** The items of a for_each step, a page at a time; read only once the list is opened. */
export function Items({ execution, step }: { execution: string; step: StepView }) {
  const [open, setOpen] = useState(false);
  return (
    <details className="rounded-xl border border-line px-4 py-2.5" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="cursor-pointer font-medium">{count(step.items!.total, 'item')}</summary>
      {open && <ItemList execution={execution} step={step} />}
    </details>
  );
}

function ItemList({ execution, step }: { execution: string; step: StepView }) {
  const [status, setStatus] = useState('');
  const items = useInfiniteQuery(itemsQuery(execution, step.step, step.visit, status || undefined));
  const shown = items.data?.pages.flatMap((page) => page.items);
  return (
    <div className="flex flex-col gap-3 pt-3">
      <Filter label="Show" value={status} onChange={setStatus} options={[{ value: '', label: 'All' }, { value: 'failed', label: 'Failed' }, { value: 'waiting', label: 'Waiting' }, { value: 'committed', label: 'Committed' }]} />
      {items.isError && !shown && <ErrorNote error={items.error} retry={() => void items.refetch()} />}
      {items.isPending && <Loading lines={4} label="Loading the items" />}
      {shown?.length === 0 && <p className="text-ink-2">None.</p>}
      <ol aria-label={`Items of ${step.step}`} className="flex flex-col">
        {shown?.map((item) => (
          <li key={item.item} className="border-b border-line last:border-none">
            <details>
              <summary className="flex cursor-pointer flex-wrap items-center gap-x-3 gap-y-1 py-1.5">
                <span className="w-12 shrink-0 font-mono text-[0.84rem] text-ink-2">{item.item}</span>
                <span className="min-w-0 flex-1 truncate font-mono text-[0.82rem]">{preview(item.input)}</span>
                <StatusPill look={stepLook(item.status)} />
              </summary>
              <div className="flex flex-col gap-3 pb-3">
                {item.failures.map((failure) => <FailureNote key={failure.attempt} failure={failure} />)}
                {item.calls.map((call) => <Call key={call.effect_id} call={call} />)}
              </div>
            </details>
          </li>
        ))}
      </ol>
      <MoreButton query={items} what="items" />
    </div>
  );
}
