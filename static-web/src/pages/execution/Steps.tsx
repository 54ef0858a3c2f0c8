import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { memo, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { StepView } from '~/api/types';
import { clock, count } from '~/model/format';
import { itemsNote } from '~/model/items';
import { callLook, humanise, stepLook } from '~/model/status';
import { attemptNote, groupSteps, stepDuration, type StepGroup } from '~/model/trace';
import { Glyph, StatusPill } from '~/ui/Glyph';
import { Empty } from '~/ui/states';
import { useNow } from '~/ui/time';
import { Fields } from '~/ui/Value';

interface StepsProps {
  steps: StepView[];
  /** A state of the past is shown with the durations it had then. */
  seenAt: number | undefined;
  chosen: string | undefined;
  onChoose: (step: StepView) => void;
}

/** Beyond this many, only the rows that are in sight are in the page. */
const allAtOnceMax = 80;

export function Steps(props: StepsProps) {
  const groups = useMemo(() => groupSteps(props.steps), [props.steps]);
  if (groups.length === 0) return <Empty title="No step has been scheduled yet">They appear here as they begin.</Empty>;
  if (groups.length <= allAtOnceMax) {
    return <ol aria-label="Steps" className="flex flex-col">{groups.map((group, index) => <li key={group.step} data-testid={`step-${group.step}`}><Row group={group} last={index === groups.length - 1} {...props} /></li>)}</ol>;
  }
  return <InSight groups={groups} {...props} />;
}

function InSight({ groups, ...props }: StepsProps & { groups: StepGroup[] }) {
  const list = useRef<HTMLOListElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => setTop((list.current?.getBoundingClientRect().top ?? 0) + window.scrollY), []);
  const virtual = useWindowVirtualizer({ count: groups.length, estimateSize: () => 74, overscan: 12, scrollMargin: top, getItemKey: (index) => groups[index]!.step });
  return (
    <ol ref={list} aria-label={`Steps, ${groups.length} in all`} className="relative" style={{ height: virtual.getTotalSize() }}>
      {virtual.getVirtualItems().map((item) => {
        const group = groups[item.index]!;
        return (
          <li key={item.key} ref={virtual.measureElement} data-index={item.index} data-testid={`step-${group.step}`} aria-setsize={groups.length} aria-posinset={item.index + 1} className="absolute inset-x-0 top-0" style={{ transform: `translateY(${item.start - top}px)` }}>
            <Row group={group} last={item.index === groups.length - 1} {...props} />
          </li>
        );
      })}
    </ol>
  );
}

const Row = memo(function Row({ group, last, seenAt, chosen, onChoose }: Omit<StepsProps, 'steps'> & { group: StepGroup; last: boolean }) {
  const { latest: step, earlier } = group;
  const isChosen = chosen !== undefined && (chosen === step.step || chosen.startsWith(`${step.step}.`));
  return (
    <div className="relative flex gap-3 pb-2">
      {!last && <span aria-hidden="true" className="absolute top-8 bottom-[-7px] left-[9.5px] border-l-[1.6px] border-line" />}
      <span className="pt-[7px]"><Glyph look={stepLook(step.status)} size={20} /></span>
      <button
        type="button" data-list-item aria-pressed={isChosen} onClick={() => onChoose(step)}
        className="flex min-w-0 flex-1 flex-col gap-0.5 rounded-lg border border-transparent px-2.5 py-1.5 text-left hover:bg-sunken aria-pressed:border-edge aria-pressed:bg-surface"
      >
        <Head step={step} seenAt={seenAt} />
        {earlier.length > 0 && (
          <span className="mt-1 border-l-2 border-dashed border-edge pl-3 text-[0.87rem] text-ink-2">
            {count(earlier.length, 'earlier visit')}: {earlier.slice(0, 3).map((visit) => `${stepLook(visit.status).label.toLowerCase()}${visit.failures.length > 0 ? `, ${humanise(visit.failures.at(-1)!.class).toLowerCase()}` : ''}`).join('; ')}{earlier.length > 3 && '; …'}
          </span>
        )}
      </button>
    </div>
  );
}, (before, after) => before.group.latest === after.group.latest && before.group.earlier.length === after.group.earlier.length && before.last === after.last && before.seenAt === after.seenAt && before.chosen === after.chosen);

function Head({ step, seenAt }: { step: StepView; seenAt: number | undefined }) {
  const note = attemptNote(step);
  const failure = step.failures.at(-1);
  return (
    <>
      <span className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
        <strong className="text-[1.05rem] font-semibold break-words">{step.step}</strong>
        <span className="text-[0.87rem] text-ink-2">{step.actor && step.actor !== step.step ? `${humanise(step.type).toLowerCase()} by ${step.actor}` : humanise(step.type).toLowerCase()}</span>
        <span className="ml-auto flex items-center gap-2.5 text-[0.87rem] text-ink-2">
          {note && <span>{note}</span>}
          <Took step={step} seenAt={seenAt} />
          <StatusPill look={stepLook(step.status)} />
        </span>
      </span>
      {failure && step.status !== 'committed' && <span className="text-[0.93rem] text-bad">{failure.message}</span>}
      {step.items && <span className="text-[0.93rem] font-medium" data-testid={`items-${step.step}`}>{itemsNote(step.items)}</span>}
      {step.output !== undefined && step.status === 'committed' && !step.items && <Fields value={step.output} limit={4} />}
      <span className="flex flex-wrap gap-x-4 text-[0.87rem] text-ink-2">
        {step.checkpoint && step.status === 'committed' && <span>◆ checkpoint <span className="font-mono text-[0.82rem] text-ink">{step.checkpoint}</span></span>}
        {step.calls.length > 0 && <span>{count(step.calls.length, 'call')}: {step.calls.slice(0, 4).map((call) => `${call.tool} ${callLook(call.status).label.toLowerCase()}`).join(', ')}{step.calls.length > 4 && ', …'}</span>}
        {step.retry_due_at && <span>next try at {clock(step.retry_due_at)}</span>}
        {step.inherited && <span>taken over, not run again</span>}
      </span>
    </>
  );
}

/** The only part that moves on with the clock, and only while the step does. */
function Took({ step, seenAt }: { step: StepView; seenAt: number | undefined }) {
  const settled = step.settled_at !== undefined || seenAt !== undefined;
  const now = useNow(settled ? 3_600_000 : 1_000);
  const took = stepDuration(step, seenAt ?? now);
  return took ? <span className="font-mono text-[0.82rem]">{took}</span> : null;
}

