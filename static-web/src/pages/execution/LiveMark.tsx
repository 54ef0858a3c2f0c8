import type { StreamState } from '~/api/stream';

const words: Record<StreamState, string> = {
  connecting: 'Connecting to the live stream',
  live: 'Live',
  interrupted: 'The live stream broke off; taking it up again',
};

export function LiveMark({ state }: { state: StreamState | 'idle' }) {
  if (state === 'idle') return null;
  return (
    <span data-testid="live" data-state={state} className={`inline-flex items-center gap-2 text-[0.9rem] ${state === 'interrupted' ? 'text-wait' : 'text-ink-2'}`}>
      <span aria-hidden="true" className={`size-2 rounded-full bg-current ${state === 'live' ? 'breathing text-running' : ''}`} />
      {words[state]}
    </span>
  );
}
