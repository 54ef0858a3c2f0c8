import { useQuery } from '@tanstack/react-query';
import { useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { healthQuery, meQuery } from '~/api/queries';
import { Logo } from './Logo';
import { BottomBar, SideNav } from './Nav';
import { Palette } from './Palette';
import { ShortcutsPanel } from './ShortcutsPanel';
import { useShortcuts } from './shortcuts';
import { SettingsMenu } from './SettingsMenu';

export function Shell({ children }: { children: ReactNode }) {
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const health = useQuery(healthQuery);
  const me = useQuery(meQuery);
  useShortcuts({ palette: () => setPalette(true), help: () => setHelp(true) });
  const main = useFocusOnNavigation();

  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[216px_minmax(0,1fr)]">
      <a href="#main" className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-lg focus:bg-surface focus:px-4 focus:py-2">Skip to content</a>
      <aside className="sticky top-0 hidden h-dvh flex-col gap-8 border-r border-line px-4 py-6 lg:flex">
        <div className="px-3"><Logo /></div>
        <SideNav health={health.data} />
        <div className="mt-auto flex flex-col gap-3">
          {me.data && (
            <p className="px-3 text-[0.84rem] leading-snug text-ink-2">
              <span className="block font-semibold text-ink">{me.data.tenant}</span>
              {me.data.environment}, version {me.data.version}
            </p>
          )}
          <SettingsMenu onPalette={() => setPalette(true)} onHelp={() => setHelp(true)} />
        </div>
      </aside>
      <div className="flex min-w-0 flex-col">
        <header className="flex items-center justify-between border-b border-line px-4 py-3 lg:hidden">
          <Logo />
          <SettingsMenu onPalette={() => setPalette(true)} onHelp={() => setHelp(true)} />
        </header>
        <main id="main" ref={main} tabIndex={-1} className="min-w-0 px-4 pt-6 pb-28 outline-none sm:px-8 lg:px-10 lg:pt-9 lg:pb-16">{children}</main>
      </div>
      <BottomBar health={health.data} />
      <Palette open={palette} onOpenChange={setPalette} />
      <ShortcutsPanel open={help} onOpenChange={setHelp} />
    </div>
  );
}

/** A new page begins at its content, for a keyboard and for a screen reader alike. */
function useFocusOnNavigation() {
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);
  return main;
}
