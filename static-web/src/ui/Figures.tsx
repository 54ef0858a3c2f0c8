import type { RecoveryFigures } from '~/api/generated';
import { figuresOf } from '~/model/figures';

/** One tile for each figure: what it is called, the number, and what that is a part of. */
export function Figures({ figures }: { figures: RecoveryFigures }) {
  return (
    <dl className="grid grid-cols-2 overflow-hidden rounded-[var(--radius-card)] border border-line bg-surface sm:grid-cols-3 xl:grid-cols-6" data-testid="figures">
      {figuresOf(figures).map(({ id, label, value, note }) => (
        <div key={id} data-testid={`figure-${id}`} className="-mt-px -ml-px flex flex-col gap-0.5 border-t border-l border-line px-4 py-3.5">
          <dt className="text-[0.87rem] text-ink-2">{label}</dt>
          <dd className="flex flex-col gap-0.5">
            <span className="text-[1.55rem] leading-tight font-semibold tracking-tight tabular-nums">{value}</span>
            <span className="text-[0.8rem] text-ink-3">{note}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
