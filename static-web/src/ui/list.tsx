import { Link, type LinkProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Button } from './Button';
import { useMedia } from './media';

/** Rows that j and k walk through. */
export function Rows({ children, label }: { children: ReactNode; label: string }) {
  return <ul aria-label={label} className="card flex flex-col divide-y divide-line overflow-hidden">{children}</ul>;
}

export function RowLink({ children, testId, ...link }: LinkProps & { children: ReactNode; testId?: string }) {
  return (
    <li>
      <Link {...link} data-list-item data-testid={testId} className="flex min-h-13 flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5 hover:bg-sunken focus-visible:-outline-offset-2">
        {children}
      </Link>
    </li>
  );
}

interface More {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

export function MoreButton({ query, what }: { query: More; what: string }) {
  if (!query.hasNextPage) return null;
  return <Button className="self-center" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Show more {what}</Button>;
}

/** Filters beside each other; on a narrow screen folded away, so that the list is what one sees first. */
export function Filters({ active, children }: { active: boolean; children: ReactNode }) {
  const wide = useMedia('(min-width: 640px)');
  if (wide) return children;
  return (
    <details className="w-full" open={active || undefined}>
      <summary className="min-h-10 cursor-pointer py-2 font-semibold">Filters{active && <span className="font-normal text-ink-2">, some are set</span>}</summary>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-3 pt-2">{children}</div>
    </details>
  );
}

export function Filter({ label, value, options, onChange }: { label: string; value: string; options: { value: string; label: string }[]; onChange: (value: string) => void }) {
  return (
    <label className="flex items-center gap-2 text-[0.9rem] text-ink-2">
      {label}
      <select className="field min-h-10 w-auto max-w-56 pr-8 text-ink" value={value} onChange={(event) => onChange(event.target.value)}>
        {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
      </select>
    </label>
  );
}
