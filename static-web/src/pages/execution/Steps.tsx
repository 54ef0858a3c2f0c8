import type { CallView, ExecutionView, StepFailure, StepView } from '~/api/types';
import { readCheck, readActual } from '~/model/expectation';
import { clock, count, preview } from '~/model/format';
import { itemsNote, shownOutput } from '~/model/items';
import { callLook, humanise, stepLook } from '~/model/status';
import { attemptNote, groupSteps, stepDuration, type StepGroup } from '~/model/trace';
import { StatusPill } from '~/ui/Glyph';
import { Empty } from '~/ui/states';
import { Knot, Thread } from '~/ui/Thread';
import { useNow } from '~/ui/time';
import { Fields, JsonBlock } from '~/ui/Value';
import { Items } from './Items';

export function Steps({ view, travelled }: { view: ExecutionView; travelled: boolean }) {
  const groups = groupSteps(view.steps);
  if (groups.length === 0) return <Empty title="No step has been scheduled yet">They appear here as they begin.</Empty>;
  return (
    <Thread label="Steps">
      {groups.map((group, index) => <StepRow key={group.step} group={group} execution={travelled ? undefined : view.id} seenAt={travelled ? Date.parse(view.updated_at) : undefined} last={index === groups.length - 1} />)}
    </Thread>
  );
}

/** Without an execution it is a state of the past: its items are counted, and the list, which is of now, is left out. */
function StepRow({ group, last, seenAt, execution }: { group: StepGroup; last: boolean; seenAt: number | undefined; execution: string | undefined }) {
  const { latest: step, earlier } = group;
  return (
    <Knot look={stepLook(step.status)} last={last} testId={`step-${group.step}`}>
      <details className="group/step" open={step.status === 'failed' || step.status === 'in_doubt'}>
        <summary data-list-item className="-mx-2 flex cursor-pointer list-none flex-col gap-0.5 rounded-lg px-2 pb-1 hover:bg-sunken [&::-webkit-details-marker]:hidden">
          <StepHead step={step} seenAt={seenAt} />
        </summary>
        <StepBody step={step} execution={execution} />
      </details>
      {earlier.map((visit) => (
        <details key={visit.visit} className="mt-1 border-l-2 border-dashed border-edge pl-3 text-ink-2">
          <summary className="cursor-pointer text-[0.9rem]">Visit {visit.visit}: {stepLook(visit.status).label.toLowerCase()}{visit.failures.length > 0 && `, ${humanise(visit.failures[visit.failures.length - 1]!.class).toLowerCase()}`}</summary>
          <StepBody step={visit} execution={execution} />
        </details>
      ))}
    </Knot>
  );
}

/** A state of the past is shown with the durations it had then. */
function StepHead({ step, seenAt }: { step: StepView; seenAt: number | undefined }) {
  const now = useNow(1_000);
  const took = stepDuration(step, seenAt ?? now);
  const note = attemptNote(step);
  return (
    <>
      <span className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
        <strong className="text-[1.05rem] font-semibold">{step.step}</strong>
        <span className="text-[0.87rem] text-ink-2">{step.actor && step.actor !== step.step ? `${humanise(step.type).toLowerCase()} by ${step.actor}` : humanise(step.type).toLowerCase()}</span>
        <span className="ml-auto flex items-center gap-2.5 text-[0.87rem] text-ink-2">
          {note && <span>{note}</span>}
          {took && <span className="font-mono text-[0.82rem]">{took}</span>}
          <StatusPill look={stepLook(step.status)} />
        </span>
      </span>
      {step.items && <span className="text-[0.93rem] font-medium" data-testid={`items-${step.step}`}>{itemsNote(step.items)}</span>}
      {step.output !== undefined && step.status === 'committed' && !step.items && <Fields value={step.output} limit={4} />}
      <span className="flex flex-wrap gap-x-4 text-[0.87rem] text-ink-2">
        {step.checkpoint && step.status === 'committed' && <span>◆ checkpoint <span className="font-mono text-[0.82rem] text-ink">{step.checkpoint}</span></span>}
        {step.calls.length > 0 && <span>{count(step.calls.length, 'call')}: {step.calls.map((call) => `${call.tool} ${callLook(call.status).label.toLowerCase()}`).join(', ')}</span>}
        {step.retry_due_at && <span>next try at {clock(step.retry_due_at)}</span>}
      </span>
    </>
  );
}

function StepBody({ step, execution }: { step: StepView; execution: string | undefined }) {
  return (
    <div className="flex flex-col gap-4 py-3">
      {step.failures.map((failure) => <FailureNote key={`${failure.attempt}-${failure.at}`} failure={failure} />)}
      {step.reads.length > 0 && <p className="text-[0.9rem] text-ink-2">Made from the outputs of {step.reads.map((read) => `${read.step}${read.visit > 1 ? ` (visit ${read.visit})` : ''}`).join(', ')}.</p>}
      {step.calls.map((call) => <Call key={call.effect_id} call={call} />)}
      {step.items && execution && <Items execution={execution} step={step} />}
      <div className="grid gap-4 lg:grid-cols-2">
        <div className="min-w-0"><h4 className="eyebrow pb-1">Input</h4><JsonBlock value={step.input} label={`Input of ${step.step}`} /></div>
        <div className="min-w-0"><h4 className="eyebrow pb-1">{step.status === 'committed' ? 'Output' : 'Answer'}</h4><JsonBlock value={shownOutput(step)} label={`Output of ${step.step}`} /></div>
      </div>
    </div>
  );
}

export function FailureNote({ failure }: { failure: StepFailure }) {
  const check = readCheck(failure.expected);
  const seen = readActual(failure.actual, check.path);
  return (
    <div className="rounded-xl border border-bad bg-bad-wash px-4 py-3">
      <p className="font-semibold">{failure.message}</p>
      <dl className="mt-1 grid grid-cols-[auto_1fr] gap-x-4 text-[0.92rem]">
        {failure.expected && <><dt className="text-ink-2">Expected</dt><dd>{check.phrase ? `${check.subject} ${check.phrase}` : <code className="font-mono text-[0.84rem] break-words">{failure.expected}</code>}</dd></>}
        {seen.length > 0 && <><dt className="text-ink-2">Actual</dt><dd className="font-semibold text-bad">{seen.map(({ path, value }) => `${path} ${preview(value)}`).join(', ')}</dd></>}
        <dt className="text-ink-2">Class</dt><dd>{humanise(failure.class)}, attempt {failure.attempt}, {clock(failure.at)}</dd>
      </dl>
    </div>
  );
}

export function Call({ call }: { call: CallView }) {
  return (
    <details className="rounded-xl border border-line px-4 py-2.5">
      <summary className="flex cursor-pointer flex-wrap items-center gap-x-3 gap-y-1">
        <strong className="font-mono text-[0.87rem]">{call.tool}</strong>
        <span className="text-[0.87rem] text-ink-2">{call.effect_kind}</span>
        <span className="ml-auto"><StatusPill look={callLook(call.status)} /></span>
      </summary>
      <div className="flex flex-col gap-3 pt-3">
        <JsonBlock value={call.arguments} label={`Arguments of ${call.tool}`} />
        {call.result !== undefined && <JsonBlock value={call.result} label={`Result of ${call.tool}`} />}
        <p className="font-mono text-[0.8rem] break-all text-ink-2">{call.effect_id}{call.idempotency_key && `, key ${call.idempotency_key}`}</p>
      </div>
    </details>
  );
}
