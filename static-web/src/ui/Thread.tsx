import type { ReactNode } from 'react';
import type { StatusLook } from '~/model/status';
import { Glyph } from './Glyph';

/** The vertical thread that runs, chains and timelines are drawn on: a line with a knot for each thing that happened. */
export function Thread({ children, label }: { children: ReactNode; label: string }) {
  return <ol aria-label={label} className="flex flex-col">{children}</ol>;
}

export function Knot({ look, children, last = false, testId, broken = false }: { look: StatusLook; children: ReactNode; last?: boolean; testId?: string; broken?: boolean }) {
  return (
    <li data-testid={testId} className="relative flex gap-3 pb-4 last:pb-0">
      {!last && <span aria-hidden="true" className={`absolute top-6 bottom-[-3px] left-[9.5px] border-l-[1.6px] ${broken ? 'border-dashed border-edge' : 'border-line'}`} />}
      <span className="pt-[3px]"><Glyph look={look} size={20} /></span>
      <div className="min-w-0 flex-1">{children}</div>
    </li>
  );
}
