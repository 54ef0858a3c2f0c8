import { useEffect, type ReactNode } from 'react';

/** Title, what can be done, and the page's content; also names the tab. */
export function Page({ title, lead, actions, above, children, wide = false }: { title: string; lead?: ReactNode; actions?: ReactNode; above?: ReactNode; children: ReactNode; wide?: boolean }) {
  useEffect(() => {
    document.title = `${title} · Omium`;
  }, [title]);
  return (
    <div className={`mx-auto flex w-full flex-col gap-7 ${wide ? 'max-w-[1360px]' : 'max-w-[1080px]'}`}>
      <header className="flex flex-wrap items-end justify-between gap-x-6 gap-y-4">
        <div className="flex min-w-0 flex-col gap-1">
          {above}
          <h1 className="text-[1.75rem] leading-tight font-semibold tracking-[-0.015em] break-words">{title}</h1>
          {lead && <div className="max-w-[78ch] text-ink-2">{lead}</div>}
        </div>
        {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Section({ title, aside, children, id }: { title: string; aside?: ReactNode; children: ReactNode; id?: string }) {
  return (
    <section aria-label={title} id={id} className="flex flex-col gap-3">
      <div className="flex flex-wrap items-baseline justify-between gap-3">
        <h2 className="text-[1.08rem] font-semibold">{title}</h2>
        {aside && <div className="text-[0.87rem] text-ink-2">{aside}</div>}
      </div>
      {children}
    </section>
  );
}
