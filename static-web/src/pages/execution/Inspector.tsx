import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Dialog } from 'radix-ui';
import { useState, type ReactNode } from 'react';
import { workflowQuery } from '~/api/queries';
import type { ExecutionView, StepView } from '~/api/types';
import { readActual, readCheck } from '~/model/expectation';
import { clock, count, duration, between, preview } from '~/model/format';
import { checkpointCredits, guardLines, promptOf, type GuardLine, type GuardState } from '~/model/inspect';
import { itemsNote, shownOutput } from '~/model/items';
import { humanise, stepLook, type StatusLook } from '~/model/status';
import { Button } from '~/ui/Button';
import { Facts } from '~/ui/form';
import { Glyph, StatusPill } from '~/ui/Glyph';
import { MayButton } from '~/ui/may';
import { useMedia } from '~/ui/media';
import { JsonBlock } from '~/ui/Value';
import { HandoffNote } from '../reviews/Agreement';
import { visitId } from './chosen';
import { Items } from './Items';
import { RunAgainPanel } from './RunAgainPanel';
import { Call, FailureNote } from './StepParts';

interface InspectorProps {
  view: ExecutionView;
  step: StepView;
  /** All visits at hand, to go from one to another. */
  steps: StepView[];
  travelled: boolean;
  onChoose: (step: { step: string; visit: number } | undefined) => void;
}

/** Beside the list where there is room for it, over the page where there is not. */
export function Inspector(props: InspectorProps) {
  const wide = useMedia(wideEnough);
  if (wide) {
    return (
      <section aria-label={`Step ${props.step.step}`} data-testid="inspector" className="card sticky top-6 flex max-h-[calc(100dvh-3rem)] flex-col gap-5 overflow-y-auto p-5">
        <Head {...props} title={<h2 className="text-[1.3rem] font-semibold tracking-tight break-words">{props.step.step}</h2>} />
        <Body {...props} />
      </section>
    );
  }
  return (
    <Dialog.Root open onOpenChange={(open) => !open && props.onChoose(undefined)}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/45" />
        <Dialog.Content aria-describedby={undefined} data-testid="inspector" className="arriving fixed inset-y-0 right-0 z-50 flex w-full max-w-xl flex-col gap-5 overflow-y-auto border-l border-line bg-surface p-5">
          <Head {...props} title={<Dialog.Title className="text-[1.3rem] font-semibold tracking-tight break-words">{props.step.step}</Dialog.Title>} />
          <Body {...props} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

const wideEnough = '(min-width: 1280px)';

function Head({ view, step, steps, travelled, onChoose, title }: InspectorProps & { title: ReactNode }) {
  const [again, setAgain] = useState(false);
  const visits = steps.filter((one) => one.step === step.step);
  return (
    <div className="flex flex-col gap-3">
      <div className="flex items-start justify-between gap-4">
        <div className="flex min-w-0 flex-col gap-1">
          {title}
          <span className="text-[0.9rem] text-ink-2">{humanise(step.type)}{step.actor && step.actor !== step.step && ` by ${step.actor}`}{step.inherited && ', taken over from the source'}</span>
        </div>
        <Button small weight="quiet" onClick={() => onChoose(undefined)} data-testid="inspector-close">Close</Button>
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <StatusPill look={stepLook(step.status)} />
        {visits.length > 1 && (
          <label className="flex items-center gap-2 text-[0.87rem] text-ink-2">Visit
            <select className="field min-h-8 w-auto py-0.5 text-[0.9rem] text-ink" value={step.visit} onChange={(event) => onChoose({ step: step.step, visit: Number(event.target.value) })}>
              {visits.map((one) => <option key={one.visit} value={one.visit}>{one.visit} of {visits.length}, {stepLook(one.status).label.toLowerCase()}</option>)}
            </select>
          </label>
        )}
        {step.child && <Link to="/executions/$executionId" params={{ executionId: step.child }} className="text-[0.9rem] underline underline-offset-2">Open its own run</Link>}
        {!travelled && <MayButton scope="run" small onClick={() => setAgain(true)} data-testid="run-again">Run again from here</MayButton>}
      </div>
      {again && <RunAgainPanel view={view} step={step} onClose={() => setAgain(false)} />}
    </div>
  );
}

function Body({ view, step, travelled, onChoose }: InspectorProps) {
  const workflow = useQuery(workflowQuery(view.workflow, view.workflow_version));
  const spec = workflow.data?.spec;
  const guards = spec ? guardLines(spec, step) : [];
  const prompt = spec ? promptOf(spec, step) : undefined;
  const handoffs = view.handoffs?.filter((one) => (one.from === step.step && one.visit === step.visit) || one.to === step.step) ?? [];
  return (
    <div key={visitId(step)} className="flex flex-col gap-6">
      <Facts rows={factsOf(step)} />
      {step.failures.map((failure) => <FailureNote key={`${failure.attempt}-${failure.at}`} failure={failure} />)}
      {guards.length > 0 && <Part title="Guards"><Guards guards={guards} /></Part>}
      {handoffs.map((handoff) => <Part key={`${handoff.from}-${handoff.to}`} title={`Handoff from ${handoff.from} to ${handoff.to}: ${handoff.status}`}><HandoffNote handoff={handoff} /></Part>)}
      {step.verifications && step.verifications.length > 0 && <Part title="Verifiers"><Verifiers step={step} /></Part>}
      {step.items && <Part title="Items"><p>{itemsNote(step.items)}</p>{!travelled && <Items execution={view.id} step={step} />}</Part>}
      {step.calls.length > 0 && <Part title={count(step.calls.length, 'call')}>{step.calls.map((call) => <Call key={call.effect_id} call={call} />)}</Part>}
      <Part title="Input">
        {step.reads.length > 0 && (
          <p className="flex flex-wrap gap-x-2 text-[0.9rem] text-ink-2">Made from {step.reads.map((read) => (
            <button key={visitId(read)} type="button" className="font-semibold text-ink underline underline-offset-2" onClick={() => onChoose(read)}>{read.step}{read.visit > 1 && ` (visit ${read.visit})`}</button>
          ))}
          </p>
        )}
        <JsonBlock value={step.input} label={`Input of ${step.step}`} />
      </Part>
      <Part title={step.status === 'committed' ? 'Output' : 'Answer'}><JsonBlock value={shownOutput(step)} label={`Output of ${step.step}`} /></Part>
      {prompt && (
        <Part title={`Prompt of ${prompt.agent}`}>
          <p className="rounded-[10px] bg-sunken p-3 text-[0.93rem] whitespace-pre-wrap">{prompt.prompt}</p>
          {prompt.constraints.length > 0 && <ul className="list-disc pl-5 text-[0.93rem]">{prompt.constraints.map((constraint) => <li key={constraint}>{constraint}</li>)}</ul>}
          <p className="text-[0.87rem] text-ink-2">{[prompt.model, prompt.temperature !== undefined && `temperature ${prompt.temperature}`, prompt.tools.length > 0 && `may use ${prompt.tools.join(', ')}`].filter(Boolean).join('; ')}. As version {view.workflow_version} says it; an edit in a review counts for this run on top.</p>
        </Part>
      )}
    </div>
  );
}

function factsOf(step: StepView): [string, ReactNode][] {
  const rows: [string, ReactNode][] = [['Began', <span key="began" className="font-mono text-[0.87rem]">{clock(step.scheduled_at, true)}</span>]];
  if (step.settled_at) rows.push(['Took', duration(between(step.scheduled_at, step.settled_at))]);
  if (step.attempt > 1) rows.push(['Attempt', String(step.attempt)]);
  if (step.retry_due_at) rows.push(['Next try', clock(step.retry_due_at)]);
  if (step.checkpoint) rows.push(['Checkpoint', <span key="checkpoint">◆ <span className="font-mono text-[0.87rem]">{step.checkpoint}</span></span>]);
  if (step.tokens) rows.push(['Tokens', `${step.tokens.input.toLocaleString('en')} read, ${step.tokens.output.toLocaleString('en')} written`]);
  if (step.checkpoint && step.status === 'committed') rows.push(['Cost', step.inherited ? 'nothing, it was taken over' : `${step.items ? Math.ceil(step.items.total / 100) * checkpointCredits : checkpointCredits} credits for the checkpoint`]);
  return rows;
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return <section aria-label={title} className="flex min-w-0 flex-col gap-2"><h3 className="font-semibold">{title}</h3>{children}</section>;
}

const guardLooks: Record<GuardState, StatusLook> = {
  met: { label: 'met', tone: 'good', shape: 'solid' }, not_met: { label: 'not met', tone: 'bad', shape: 'cross' }, not_reached: { label: 'not reached', tone: 'quiet', shape: 'hollow' },
};

/** Expected against actual, in words where the check is of a shape that reads well. */
function Guards({ guards }: { guards: GuardLine[] }) {
  return (
    <ul className="flex flex-col gap-2.5">
      {guards.map((guard, index) => {
        const look = guardLooks[guard.state];
        const check = readCheck(guard.check);
        const seen = readActual(guard.actual, check.path);
        return (
          <li key={index} className="flex gap-2.5">
            <span className="pt-1"><Glyph look={look} size={16} /></span>
            <span className="min-w-0">
              <span className="block">{guard.message || (check.phrase ? `${check.subject ?? ''} ${check.phrase}` : guard.check)}<span className="sr-only">, {look.label}</span></span>
              <span className="block text-[0.87rem] text-ink-2">{guard.phase === 'pre' ? 'before' : guard.phase === 'post' ? 'after' : guard.phase}: <code className="font-mono text-[0.82rem] break-words">{guard.check}</code></span>
              {seen.length > 0 && <span className="block text-[0.9rem] font-semibold text-bad">actual: {seen.map(({ path, value }) => `${path} ${preview(value)}`).join(', ')}</span>}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function Verifiers({ step }: { step: StepView }) {
  return (
    <ul className="flex flex-col gap-2">
      {step.verifications!.map((round) => (
        <li key={`${round.attempt}-${round.subject}`}>
          <p className="text-[0.9rem] text-ink-2">{round.quorum} of {round.verdicts.length} must agree: {round.status}</p>
          <ul className="flex flex-col gap-1">
            {round.verdicts.map((verdict) => <li key={verdict.agent}><strong className="font-semibold">{verdict.agent}</strong> {verdict.verdict ?? 'has not answered'}{verdict.late && ', too late to count'}{verdict.reason && <span className="text-ink-2">: {verdict.reason}</span>}</li>)}
          </ul>
        </li>
      ))}
    </ul>
  );
}
