import type { ReactNode } from 'react';
import { ApiError } from '~/api/errors';
import { Button, ButtonLink } from './Button';

/** Nothing there: says why, and what to do next. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-start gap-3 rounded-[var(--radius-card)] border border-dashed border-edge px-6 py-10">
      <Knot />
      <h2 className="text-lg font-semibold">{title}</h2>
      {children && <div className="measure text-ink-2">{children}</div>}
      {action}
    </div>
  );
}

function Knot() {
  return (
    <svg width="72" height="18" viewBox="0 0 72 18" aria-hidden="true" className="text-edge">
      <path d="M0 9h24m24 0h24" stroke="currentColor" strokeWidth="1.6" strokeDasharray="3 3" />
      <circle cx="36" cy="9" r="7" fill="none" stroke="currentColor" strokeWidth="1.6" />
    </svg>
  );
}

const advice: Record<string, string> = {
  UNREACHABLE: 'Start the server with “omium dev” and try again. Runs that were under way go on by themselves.',
  HTTP_401: 'Sign in again with a key that is still active.',
  HTTP_403: 'This key may not do that. Ask for a key of this environment with the right role.',
  HTTP_404: 'It may have been removed, or it belongs to another tenant or environment.',
  HTTP_409: 'Someone or something was quicker. Look at how it stands now, then decide again.',
  CREDITS_EXHAUSTED: 'Top up, then try again. Runs that wait for credits go on by themselves.',
};

export function ErrorNote({ error, retry }: { error: unknown; retry?: () => void }) {
  const known = error instanceof ApiError ? error : undefined;
  const next = known && (advice[known.code] ?? advice[`HTTP_${known.status}`]);
  return (
    <div role="alert" className="arriving flex flex-col items-start gap-2 rounded-xl border border-bad bg-bad-wash px-4 py-3 text-ink">
      <p className="font-semibold">{error instanceof Error ? error.message : 'Something went wrong in the console itself.'}</p>
      {next && <p className="text-ink-2">{next}</p>}
      <div className="flex flex-wrap items-center gap-3 text-[0.87rem] text-ink-2">
        {known && <code className="font-mono">{known.code}</code>}
        {known?.docs && <a className="underline underline-offset-2" href={known.docs} target="_blank" rel="noreferrer">About this error</a>}
        {known?.code === 'CREDITS_EXHAUSTED' && <ButtonLink small to="/billing" testId="top-up-link">Top up</ButtonLink>}
        {retry && <Button small onClick={retry}>Try again</Button>}
      </div>
    </div>
  );
}

/** Lines where the content will be; announced once, not drawn for a screen reader. */
export function Loading({ lines = 4, label = 'Loading' }: { lines?: number; label?: string }) {
  return (
    <div role="status" className="flex flex-col gap-3 py-2">
      <span className="sr-only">{label}</span>
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} aria-hidden="true" className="breathing h-5 rounded-md bg-sunken" style={{ width: `${90 - index * 11}%` }} />
      ))}
    </div>
  );
}
