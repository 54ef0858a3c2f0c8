import { useState } from 'react';
import type { Json } from '~/api/types';
import { fields } from '~/model/format';
import { Button } from './Button';

/** The fields of a value in a row that wraps: for comparing many at a glance. */
export function Fields({ value, limit }: { value: Json | undefined; limit?: number }) {
  const { shown, more } = fields(value, limit);
  if (shown.length === 0) return <span className="text-ink-3">nothing</span>;
  return (
    <span className="flex flex-wrap gap-x-4 gap-y-0.5 font-mono text-[0.82rem]">
      {shown.map((field) => (
        <span key={field.name} className="min-w-0 break-words">
          {field.name !== '' && <span className="text-ink-3">{field.name} </span>}
          <span className="font-medium text-ink">{field.value}</span>
        </span>
      ))}
      {more > 0 && <span className="text-ink-3">and {more} more</span>}
    </span>
  );
}

/** A whole value as JSON, scrolling inside itself. */
export function JsonBlock({ value, label }: { value: Json | undefined; label: string }) {
  if (value === undefined) return <p className="text-ink-3">None.</p>;
  const text = JSON.stringify(value, null, 2);
  return (
    <div className="relative">
      <pre role="region" tabIndex={0} aria-label={label} className="max-h-96 overflow-auto rounded-[10px] bg-sunken p-3 pr-20 font-mono text-[0.82rem] leading-relaxed whitespace-pre-wrap break-words">{text}</pre>
      <span className="absolute top-2 right-2"><CopyButton text={text} what={label} /></span>
    </div>
  );
}

export function CopyButton({ text, what, label = 'Copy', small = true }: { text: string; what: string; label?: string; small?: boolean }) {
  const [said, setSaid] = useState<string>();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('Copied');
    } catch {
      // Refused without a secure origin or a permission: the text itself can still be selected.
      setSaid('Select it');
    }
  };
  return (
    <Button small={small} onClick={() => void copy()} onBlur={() => setSaid(undefined)} aria-label={`${said ?? label}: ${what}`}>
      <span aria-live="polite">{said ?? label}</span>
    </Button>
  );
}
