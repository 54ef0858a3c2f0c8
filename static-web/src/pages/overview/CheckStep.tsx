import type { ReactNode } from 'react';
import type { StatusLook } from '~/model/status';
import { Glyph } from '~/ui/Glyph';

const doneLook: StatusLook = { label: 'Done', tone: 'good', shape: 'solid' };
const openLook: StatusLook = { label: 'To do', tone: 'quiet', shape: 'hollow' };

export function CheckStep({ testId, title, done, children }: { testId: string; title: string; done: boolean; children: ReactNode }) {
  return (
    <li data-testid={testId} data-done={done} className="flex gap-4 py-5 first:pt-0 last:pb-0">
      <span className="pt-0.5"><Glyph look={done ? doneLook : openLook} size={24} /></span>
      <div className="flex min-w-0 flex-1 flex-col items-start gap-2">
        <h3 className="text-[1.08rem] font-semibold">{title}<span className="sr-only">, {done ? 'done' : 'to do'}</span></h3>
        {children}
      </div>
    </li>
  );
}
