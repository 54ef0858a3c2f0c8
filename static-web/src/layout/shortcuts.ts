import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { destinations } from './navigation';

const storageKey = 'omium.single-key-shortcuts';

/** Single-key shortcuts can be switched off (WCAG 2.1.4). */
export function singleKeysOn(): boolean {
  try {
    return localStorage.getItem(storageKey) !== 'off';
  } catch {
    return true;
  }
}

export function setSingleKeys(on: boolean): void {
  try {
    localStorage.setItem(storageKey, on ? 'on' : 'off');
  } catch {
    // Storage refused: the default holds.
  }
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** j and k walk through whatever the page marks as a list item. */
export function walkList(step: 1 | -1): void {
  const items = [...document.querySelectorAll<HTMLElement>('main [data-list-item]')].filter((item) => item.offsetParent !== null);
  if (items.length === 0) return;
  const here = items.indexOf(document.activeElement as HTMLElement);
  const next = here < 0 ? (step === 1 ? 0 : items.length - 1) : Math.min(items.length - 1, Math.max(0, here + step));
  items[next]!.focus();
  items[next]!.scrollIntoView({ block: 'nearest' });
}

export function useShortcuts(actions: { palette: () => void; help: () => void }): void {
  const navigate = useNavigate();
  const latest = useRef(actions);
  latest.current = actions;

  useEffect(() => {
    let afterG = false;
    const onKey = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        latest.current.palette();
        return;
      }
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target) || !singleKeysOn() || document.querySelector('[role=dialog],[role=alertdialog]')) return;
      const destination = afterG ? destinations.find(({ letter }) => letter === event.key) : undefined;
      afterG = event.key === 'g' && !afterG;
      if (destination) void navigate({ to: destination.to });
      else if (event.key === 'j') walkList(1);
      else if (event.key === 'k') walkList(-1);
      else if (event.key === '/' && document.querySelector('[data-search]')) document.querySelector<HTMLInputElement>('[data-search]')!.focus();
      else if (event.key === '?') latest.current.help();
      else return;
      event.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [navigate]);
}
