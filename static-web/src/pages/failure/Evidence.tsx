import type { ReactNode } from 'react';
import type { FailureView, GuardResult } from '~/api/types';
import { readActual } from '~/model/expectation';
import { preview } from '~/model/format';
import type { StatusLook } from '~/model/status';
import { Glyph } from '~/ui/Glyph';
import { Section } from '~/ui/Page';
import { JsonBlock } from '~/ui/Value';
import { HandoffNote } from '../reviews/Agreement';

export const passedLook: StatusLook = { label: 'Met', tone: 'good', shape: 'solid' };
export const failedLook: StatusLook = { label: 'Not met', tone: 'bad', shape: 'cross' };

export function Evidence({ failure }: { failure: FailureView }) {
  return (
    <Section title="Evidence">
      {failure.handoff && <HandoffNote handoff={failure.handoff} />}
      {failure.guards.length > 0 && <Guards guards={failure.guards} />}
      <Fold title="What the step was given"><JsonBlock value={failure.input} label="Input of the failed attempt" /></Fold>
      <Fold title="What it answered"><JsonBlock value={failure.output} label="Answer of the failed attempt" /></Fold>
      {failure.checkpoints.length > 0 && (
        <p className="text-[0.92rem] text-ink-2">
          Checkpoints that stand: {failure.checkpoints.map((checkpoint, index) => (
            <span key={checkpoint.name + checkpoint.visit}>{index > 0 && ', '}<strong className="font-semibold text-ink">{checkpoint.name}</strong> after {checkpoint.step}</span>
          ))}.
        </p>
      )}
    </Section>
  );
}

function Guards({ guards }: { guards: GuardResult[] }) {
  return (
    <ul aria-label="Checks of the step" className="flex flex-col gap-2">
      {guards.map((guard) => (
        <li key={guard.phase + guard.check} className="flex gap-2.5">
          <span className="pt-1"><Glyph look={guard.passed ? passedLook : failedLook} size={16} /></span>
          <span className="min-w-0">
            <span className="block">{guard.message}<span className="sr-only">, {guard.passed ? 'met' : 'not met'}</span></span>
            <code className="font-mono text-[0.82rem] break-words text-ink-2">{guard.check}{guard.actual !== undefined && <> saw {readActual(guard.actual).map(({ path, value }) => `${path} ${preview(value)}`).join(', ')}</>}</code>
          </span>
        </li>
      ))}
    </ul>
  );
}

function Fold({ title, children }: { title: string; children: ReactNode }) {
  return (
    <details className="group">
      <summary className="min-h-8 cursor-pointer font-medium">{title}</summary>
      <div className="pt-2">{children}</div>
    </details>
  );
}
