import type { ExecutionView, FailureView } from '~/api/types';
import { lastPart, numberSeen, readActual, readCheck } from '~/model/expectation';
import { preview } from '~/model/format';
import { groupSteps } from '~/model/trace';
import { humanise } from '~/model/status';
import { Gauge } from './Gauge';

/** Expected against actual, in the largest type of the console: the one thing to understand first. */
export function Verdict({ failure, run }: { failure: FailureView; run: ExecutionView | undefined }) {
  const { expected, actual } = failure.failure;
  const check = readCheck(expected);
  const seen = readActual(actual, check.path);
  const answered = numberSeen(actual, check.path);
  return (
    <section aria-label="What went wrong" className="card grid gap-x-10 gap-y-6 p-6 shadow-lift sm:p-8 lg:grid-cols-[1fr_1fr]">
      <div className="flex flex-col gap-1">
        <span className="eyebrow">Expected{check.subject ? ` ${check.subject}` : ''}</span>
        {check.phrase
          ? <p className="text-[clamp(1.5rem,3.4vw,2.5rem)] leading-[1.12] font-semibold tracking-[-0.02em]">{check.phrase}</p>
          : <p className="font-mono text-[1.05rem] leading-snug break-words">{expected ?? 'The step to finish without an error.'}</p>}
        {check.phrase && <code className="mt-1 font-mono text-[0.84rem] break-words text-ink-2">{expected}</code>}
      </div>
      <div className="flex flex-col gap-1">
        <span className="eyebrow">Actual</span>
        {seen.length === 0
          ? <p className="text-[1.3rem] leading-snug font-semibold text-bad">{humanise(failure.failure.code)}</p>
          : (
            <dl className="flex flex-wrap gap-x-8 gap-y-3">
              {seen.map(({ path, value }) => (
                <div key={path} className="min-w-0">
                  <dd className="text-[clamp(1.5rem,3.4vw,2.5rem)] leading-[1.12] font-semibold tracking-[-0.02em] break-words text-bad">{preview(value, 80)}</dd>
                  <dt className="font-mono text-[0.84rem] text-ink-2">{seen.length === 1 ? path : lastPart(path)}</dt>
                </div>
              ))}
            </dl>
          )}
      </div>
      {answered !== undefined && <div className="lg:col-span-2"><Gauge range={check.range} seen={[answered, ...mendedValue(failure, run, check.path)]} subject={check.subject} /></div>}
      <p className="text-[0.9rem] text-ink-2 lg:col-span-2">
        Class <strong className="font-semibold text-ink">{humanise(failure.failure.class)}</strong> ({humanise(failure.group).toLowerCase()}{failure.mode ? `, MAST ${failure.mode}` : ''}), attempt {failure.failure.attempt} of step{' '}
        <strong className="font-semibold text-ink">{failure.failure.step}</strong>. Nothing that comes after it had begun.
      </p>
    </section>
  );
}

/** What the same step answered once it was mended, so that both stand on one line. */
function mendedValue(failure: FailureView, run: ExecutionView | undefined, path: string | undefined): number[] {
  if (!run || !path?.startsWith('output.')) return [];
  const step = groupSteps(run.steps).find((group) => group.step === failure.failure.step)?.latest;
  if (step?.status !== 'committed') return [];
  let value: unknown = step.output;
  for (const part of path.split('.').slice(1)) value = value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[part] : undefined;
  return typeof value === 'number' ? [value] : [];
}
