import { useEffect, useRef } from 'react';
import type { GuardResult, TestFixView } from '~/api/types';
import { numberSeen, readActual, readCheck } from '~/model/expectation';
import { count, duration, preview } from '~/model/format';
import { Glyph } from '~/ui/Glyph';
import { ErrorNote } from '~/ui/states';
import { Fields, JsonBlock } from '~/ui/Value';
import { failedLook, passedLook } from './Evidence';
import { Gauge } from './Gauge';

const verdicts = {
  passed: { title: 'The fix holds', className: 'border-good bg-good-wash', said: 'Every check is met.' },
  failed: { title: 'Not mended yet', className: 'border-bad bg-bad-wash', said: 'At least one check is still not met. Change the edit and test again.' },
  inconclusive: { title: 'This test cannot tell', className: 'border-wait bg-wait-wash', said: 'The step wanted to make a call that was not recorded, and a test makes none.' },
} as const;

interface TestResultProps {
  result: TestFixView | undefined;
  error: unknown;
  busy: boolean;
  /** The checks as the failed attempt met them, to set beside. */
  failing: GuardResult[];
  outdated: boolean;
}

export function TestResult({ result, error, busy, failing, outdated }: TestResultProps) {
  const card = useRef<HTMLElement>(null);
  // Newer browsers answer a promise here, which an effect must not return.
  useEffect(() => void card.current?.scrollIntoView({ block: 'nearest', behavior: 'smooth' }), [result]);
  if (busy) return <p role="status" className="breathing rounded-xl border border-running bg-running-wash px-4 py-3 text-running">Running the step beside the execution, with your edit. Nothing is sent.</p>;
  if (error) return <ErrorNote error={error} />;
  if (!result) return null;
  const verdict = verdicts[result.outcome];
  return (
    <section ref={card} aria-label="Result of the test" role="status" data-testid="test-fix-result" data-outcome={result.outcome} className={`arriving flex flex-col gap-4 rounded-[var(--radius-card)] border p-5 ${verdict.className}`}>
      <div>
        <h3 className="text-xl font-semibold">{verdict.title}</h3>
        <p>{result.problem ?? verdict.said} Nothing was sent; it took {duration(result.duration_ms)}.</p>
        {outdated && <p className="font-semibold">You have edited since this test. Test again to be sure.</p>}
      </div>
      <Compare guards={result.guards} failing={failing} />
      {result.output !== undefined && <div className="flex flex-wrap items-baseline gap-x-3"><span className="font-semibold">It answered</span><Fields value={result.output} /></div>}
      {result.unrecorded_calls.length > 0 && (
        <details open>
          <summary className="cursor-pointer font-semibold">{count(result.unrecorded_calls.length, 'call')} it would have made, and did not</summary>
          <div className="pt-2"><JsonBlock value={result.unrecorded_calls} label="Calls that were not made" /></div>
        </details>
      )}
    </section>
  );
}

function Compare({ guards, failing }: { guards: GuardResult[]; failing: GuardResult[] }) {
  return (
    <ul className="flex flex-col gap-4">
      {guards.map((guard) => {
        const before = failing.find((other) => other.check === guard.check && other.phase === guard.phase);
        const check = readCheck(guard.check);
        const numbers = [numberSeen(before?.actual, check.path), numberSeen(guard.actual, check.path)].filter((value) => value !== undefined);
        return (
          <li key={guard.phase + guard.check} className="flex flex-col gap-2 rounded-xl bg-surface px-4 py-3">
            <span className="font-medium">{guard.message}</span>
            <span className="grid grid-cols-2 gap-4">
              <Seen title="Before" guard={before} />
              <Seen title="With your edit" guard={guard} />
            </span>
            <Gauge range={check.range} seen={numbers} subject={check.subject} />
          </li>
        );
      })}
    </ul>
  );
}

function Seen({ title, guard }: { title: string; guard: GuardResult | undefined }) {
  if (!guard) return <span className="text-ink-3">{title}: not checked</span>;
  const seen = readActual(guard.actual, readCheck(guard.check).path);
  return (
    <span className="flex flex-col">
      <span className="eyebrow">{title}</span>
      <span className={`flex items-center gap-2 text-[1.3rem] font-semibold ${guard.passed ? 'text-good' : 'text-bad'}`}>
        <Glyph look={guard.passed ? passedLook : failedLook} />
        {seen.length === 0 ? (guard.passed ? 'met' : 'not met') : seen.map(({ value }) => preview(value, 24)).join(', ')}
        <span className="sr-only">, {guard.passed ? 'met' : 'not met'}</span>
      </span>
    </span>
  );
}
