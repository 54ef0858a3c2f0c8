import { useEffect, useState } from 'react';

/** Looks while one types, a moment after the last key. `/` goes to it from anywhere on the page. */
export function SearchField({ label, hint, value, onChange, testId }: { label: string; hint: string; value: string | undefined; onChange: (value: string | undefined) => void; testId?: string }) {
  const [draft, setDraft] = useState(value ?? '');
  const [known, setKnown] = useState(value);
  if (known !== value) {
    // The address has changed by other means: back, forward, or a filter that was cleared.
    setKnown(value);
    setDraft(value ?? '');
  }
  useEffect(() => {
    if (draft.trim() === (value ?? '')) return;
    const timer = setTimeout(() => onChange(draft.trim() || undefined), 220);
    return () => clearTimeout(timer);
  }, [draft, value, onChange]);
  return (
    <label className="relative min-w-56 flex-1 basis-72">
      <span className="sr-only">{label}</span>
      <input type="search" data-search placeholder={hint} value={draft} onChange={(event) => setDraft(event.target.value)} data-testid={testId} className="field min-h-10 pr-9" />
      <kbd aria-hidden="true" className="pointer-events-none absolute top-1/2 right-2.5 -translate-y-1/2 rounded border border-line px-1.5 font-mono text-[0.75rem] text-ink-3 max-sm:hidden">/</kbd>
    </label>
  );
}
