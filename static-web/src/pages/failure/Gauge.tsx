import { gauge } from '~/model/expectation';

/** A number line: the allowed band, and where the answers fell. */
export function Gauge({ range, seen, subject }: { range: { low?: number; high?: number } | undefined; seen: number[]; subject?: string | undefined }) {
  const drawn = gauge(range, seen);
  if (!drawn) return null;
  const words = `${subject ?? 'The value'} may be ${drawn.low} to ${drawn.high}; seen: ${seen.join(', then ')}.`;
  return (
    <figure aria-label={words} role="img" className="relative h-16">
      <span className="absolute inset-x-0 top-8 h-px bg-edge" />
      <span className="absolute top-[26px] h-3 rounded-full border border-good bg-good-wash" style={{ left: `${drawn.bandFrom}%`, width: `${drawn.bandTo - drawn.bandFrom}%` }} />
      <Tick at={drawn.bandFrom} text={String(drawn.low)} />
      <Tick at={drawn.bandTo} text={String(drawn.high)} />
      {drawn.marks.map((mark, index) => (
        <span key={index} className="absolute top-0 flex h-10 -translate-x-1/2 flex-col items-center transition-[left] duration-500" style={{ left: `${mark.at}%` }}>
          <span className={`text-[0.9rem] leading-none font-bold ${mark.inside ? 'text-good' : 'text-bad'}`}>{mark.value}</span>
          <span className={`mt-[9px] size-4 border-[3px] border-surface ${mark.inside ? 'rounded-full bg-good' : 'rotate-45 rounded-[4px] bg-bad'}`} />
        </span>
      ))}
    </figure>
  );
}

function Tick({ at, text }: { at: number; text: string }) {
  return <span className="absolute top-11 -translate-x-1/2 text-[0.84rem] text-ink-2" style={{ left: `${at}%` }}>{text}</span>;
}
