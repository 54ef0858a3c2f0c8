import type { CallView, StepFailure } from '~/api/types';
import { readActual, readCheck } from '~/model/expectation';
import { clock, preview } from '~/model/format';
import { callLook, humanise } from '~/model/status';
import { StatusPill } from '~/ui/Glyph';
import { JsonBlock } from '~/ui/Value';

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
