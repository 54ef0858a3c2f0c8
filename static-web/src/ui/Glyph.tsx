import type { Shape, StatusLook } from '~/model/status';
import { toneText, toneWash } from './tone';

/** The knot on the thread: one shape per state, the same wherever a state is shown. */
export function Glyph({ look, size = 18 }: { look: StatusLook; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 18 18" aria-hidden="true" className={`shrink-0 ${toneText[look.tone]} ${look.shape === 'half' ? 'breathing' : ''}`}>
      <circle cx="9" cy="9" r="7" fill={filled(look.shape) ? 'currentColor' : 'var(--surface)'} stroke="currentColor" strokeWidth="1.8" strokeDasharray={look.shape === 'back' ? '2.6 2.2' : undefined} />
      {mark(look.shape)}
    </svg>
  );
}

const filled = (shape: Shape) => shape === 'solid' || shape === 'cross' || shape === 'pause';

function mark(shape: Shape) {
  const paper = { fill: 'none', stroke: 'var(--surface)', strokeWidth: 1.9, strokeLinecap: 'round', strokeLinejoin: 'round' } as const;
  const ink = { ...paper, stroke: 'currentColor' } as const;
  switch (shape) {
    case 'solid': return <path d="M5.8 9.3l2.2 2.2 4.2-4.8" {...paper} />;
    case 'cross': return <path d="M6.5 6.5l5 5m0-5l-5 5" {...paper} />;
    case 'pause': return <path d="M7.2 6.4v5.2m3.6-5.2v5.2" {...paper} />;
    case 'half': return <circle cx="9" cy="9" r="3" fill="currentColor" />;
    case 'dash': return <path d="M6 9h6" {...ink} />;
    case 'back': return <path d="M11.5 9h-5m2-2.2L6.4 9l2.1 2.2" {...ink} strokeWidth={1.6} />;
    case 'question': return <path d="M7.2 7.3a1.9 1.9 0 1 1 2.6 1.8c-.6.3-.8.6-.8 1.2m0 1.9v.1" {...ink} strokeWidth={1.6} />;
    case 'hollow': return null;
  }
}

export function StatusPill({ look, testId, large = false }: { look: StatusLook; testId?: string; large?: boolean }) {
  return (
    <span data-testid={testId} className={`inline-flex items-center gap-1.5 rounded-full font-semibold whitespace-nowrap ${large ? 'py-1 pr-3.5 pl-2 text-[0.95rem]' : 'py-0.5 pr-2.5 pl-1 text-[0.82rem]'} ${toneWash[look.tone]}`}>
      <Glyph look={look} size={large ? 18 : 15} />
      {look.label}
    </span>
  );
}
