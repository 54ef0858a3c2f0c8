import type { Tone } from '~/model/status';

/** Class names are written out because Tailwind finds them by reading this file. */
export const toneText: Record<Tone, string> = {
  quiet: 'text-ink-3', running: 'text-running', good: 'text-good', wait: 'text-wait', bad: 'text-bad',
};
export const toneWash: Record<Tone, string> = {
  quiet: 'bg-sunken text-ink-2', running: 'bg-running-wash text-running', good: 'bg-good-wash text-good', wait: 'bg-wait-wash text-wait', bad: 'bg-bad-wash text-bad',
};
export const toneBorder: Record<Tone, string> = {
  quiet: 'border-line', running: 'border-running', good: 'border-good', wait: 'border-wait', bad: 'border-bad',
};
