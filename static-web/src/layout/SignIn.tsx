import { useState, type FormEvent } from 'react';
import { api } from '~/api/client';
import { ApiError } from '~/api/errors';
import { signIn } from '~/api/session';
import { Button } from '~/ui/Button';
import { ErrorNote } from '~/ui/states';
import { Logo } from './Logo';

export function SignIn() {
  const [key, setKey] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const trimmed = key.trim();
    if (trimmed === '') return;
    setBusy(true);
    setError(undefined);
    try {
      await api.me(trimmed);
      signIn(trimmed);
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  };

  const refused = error instanceof ApiError && error.status === 401;
  return (
    <main className="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-8 px-6 py-12">
      <Logo />
      <div className="flex flex-col gap-2">
        <h1 className="text-3xl font-semibold tracking-tight">Sign in with an API key</h1>
        <p className="text-ink-2">
          Open the address that <code className="font-mono text-[0.9em]">omium dev</code> printed and you are signed in by it. Or paste a key here; it stays in this browser.
        </p>
      </div>
      <form onSubmit={(event) => void submit(event)} className="flex flex-col gap-3">
        <label className="flex flex-col gap-1.5 font-semibold">
          API key
          <input
            className="field min-h-11 font-mono font-normal" type="password" autoComplete="off" spellCheck={false} autoFocus placeholder="omk_…"
            data-testid="api-key" value={key} onChange={(event) => setKey(event.target.value)} aria-invalid={refused || undefined} aria-describedby={refused ? 'key-refused' : undefined}
          />
        </label>
        {refused && <p id="key-refused" role="alert" className="text-bad">This key is not known here, or it was revoked. Check that it is whole: it begins with omk_ and has no spaces.</p>}
        {error !== undefined && !refused && <ErrorNote error={error} />}
        <Button type="submit" weight="primary" busy={busy} data-testid="sign-in">Sign in</Button>
      </form>
    </main>
  );
}
