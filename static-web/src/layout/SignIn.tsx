import { useState, type FormEvent, type ReactNode } from 'react';
import { account } from '~/api/account';
import { api } from '~/api/client';
import { ApiError } from '~/api/errors';
import { signIn, signInPerson, wordIn } from '~/api/session';
import { Button } from '~/ui/Button';
import { TextField } from '~/ui/form';
import { ErrorNote } from '~/ui/states';
import { Logo } from './Logo';

type Way = 'person' | 'key' | 'sign-up' | 'confirm' | 'invitation';

/** The one page there is without a session. An invitation or the code of a mail in the address chooses what it asks for. */
export function SignIn() {
  const [invitation] = useState(() => wordIn(window.location.hash, 'invitation') ?? '');
  const [code] = useState(() => wordIn(window.location.hash, 'verify') ?? '');
  const [way, setWay] = useState<Way>(invitation !== '' ? 'invitation' : code !== '' ? 'confirm' : 'key');
  return (
    <main className="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-8 px-6 py-12">
      <Logo />
      {way === 'key' && <KeyForm />}
      {way === 'person' && <PersonForm />}
      {way === 'sign-up' && <SignUpForm onConfirm={() => setWay('confirm')} />}
      {way === 'confirm' && <ConfirmForm code={code} />}
      {way === 'invitation' && <InvitationForm token={invitation} />}
      <p className="flex flex-wrap gap-x-5 gap-y-1 border-t border-line pt-5 text-ink-2">
        {way !== 'person' && <Other onChoose={() => setWay('person')} testId="way-person">Sign in with a password</Other>}
        {way !== 'key' && <Other onChoose={() => setWay('key')} testId="way-key">Sign in with an API key</Other>}
        {way !== 'sign-up' && <Other onChoose={() => setWay('sign-up')} testId="way-sign-up">Create an account</Other>}
        {way !== 'invitation' && <Other onChoose={() => setWay('invitation')} testId="way-invitation">I was invited</Other>}
      </p>
    </main>
  );
}

function Other({ onChoose, testId, children }: { onChoose: () => void; testId: string; children: ReactNode }) {
  return <button type="button" data-testid={testId} onClick={onChoose} className="min-h-8 font-semibold underline underline-offset-4 hover:text-ink">{children}</button>;
}

function Heading({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="flex flex-col gap-2">
      <h1 className="text-3xl font-semibold tracking-tight">{title}</h1>
      <p className="text-ink-2">{children}</p>
    </div>
  );
}

/** Runs one attempt at a time and keeps what went wrong. */
function useAttempt(act: () => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    act().catch(setError).finally(() => setBusy(false));
  };
  return { busy, error, submit };
}

function enter({ csrf }: { csrf?: string }): void {
  if (csrf) signInPerson(csrf);
  if (window.location.hash !== '') window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search);
}

const refusedWith = (error: unknown, code: string) => error instanceof ApiError && error.code === code;

function KeyForm() {
  const [key, setKey] = useState('');
  const attempt = useAttempt(async () => {
    const trimmed = key.trim();
    if (trimmed === '') return;
    await api.me(trimmed);
    signIn(trimmed);
  });
  const refused = attempt.error instanceof ApiError && attempt.error.status === 401;
  return (
    <>
      <Heading title="Sign in with an API key">
        Open the address that <code className="font-mono text-[0.9em]">omium dev</code> printed and you are signed in by it. Or paste a key here; it stays in this browser.
      </Heading>
      <form onSubmit={attempt.submit} className="flex flex-col gap-4">
        <TextField
          label="API key" className="font-mono" type="password" autoComplete="off" spellCheck={false} autoFocus placeholder="omk_…" testId="api-key" value={key} onChange={(event) => setKey(event.target.value)}
          problem={refused ? 'This key is not known here, or it was revoked. Check that it is whole: it begins with omk_ and has no spaces.' : undefined}
        />
        {attempt.error !== undefined && !refused && <ErrorNote error={attempt.error} />}
        <Button type="submit" weight="primary" busy={attempt.busy} data-testid="sign-in">Sign in</Button>
      </form>
    </>
  );
}

function PersonForm() {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const attempt = useAttempt(async () => enter(await account.signIn({ email: email.trim(), password })));
  const refused = refusedWith(attempt.error, 'sign_in_failed');
  return (
    <>
      <Heading title="Sign in">With the e-mail and password of your account here.</Heading>
      <form onSubmit={attempt.submit} className="flex flex-col gap-4">
        <TextField label="E-mail" type="email" autoComplete="username" autoFocus required value={email} onChange={(event) => setEmail(event.target.value)} testId="email" />
        <TextField
          label="Password" type="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.target.value)} testId="password"
          problem={refused ? 'E-mail and password do not go together here. Who has lost a password is invited anew by an administrator.' : undefined}
        />
        {attempt.error !== undefined && !refused && <ErrorNote error={attempt.error} />}
        <Button type="submit" weight="primary" busy={attempt.busy} data-testid="sign-in-person">Sign in</Button>
      </form>
    </>
  );
}

const passwordHint = '12 characters or more.';

function SignUpForm({ onConfirm }: { onConfirm: () => void }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [organization, setOrganization] = useState('');
  const attempt = useAttempt(async () => {
    const { mail_sent } = await account.signUp({ email: email.trim(), password, ...(organization.trim() === '' ? {} : { organization: organization.trim() }) });
    if (mail_sent) onConfirm();
    else enter(await account.signIn({ email: email.trim(), password }));
  });
  const taken = refusedWith(attempt.error, 'sign_in_failed');
  return (
    <>
      <Heading title="Create an account">It comes with a tenant of its own, of which you are the administrator.</Heading>
      <form onSubmit={attempt.submit} className="flex flex-col gap-4">
        <TextField label="Organization" autoFocus value={organization} onChange={(event) => setOrganization(event.target.value)} placeholder="Company X" testId="organization" />
        <TextField label="E-mail" type="email" autoComplete="username" required value={email} onChange={(event) => setEmail(event.target.value)} testId="email" />
        <TextField label="Password" type="password" autoComplete="new-password" required minLength={12} maxLength={256} value={password} onChange={(event) => setPassword(event.target.value)} testId="password" hint={passwordHint} problem={taken ? 'This e-mail has an account with another password. Sign in with that.' : undefined} />
        {attempt.error !== undefined && !taken && <ErrorNote error={attempt.error} />}
        <Button type="submit" weight="primary" busy={attempt.busy} data-testid="sign-up">Create the account</Button>
      </form>
    </>
  );
}

function ConfirmForm({ code }: { code: string }) {
  const [token, setToken] = useState(code);
  const [password, setPassword] = useState('');
  const attempt = useAttempt(async () => enter(await account.verifySignUp({ token: token.trim(), password })));
  const refused = refusedWith(attempt.error, 'sign_in_failed');
  return (
    <>
      <Heading title="Confirm your e-mail">We sent a mail with a code. It counts together with the password you chose just now.</Heading>
      <form onSubmit={attempt.submit} className="flex flex-col gap-4">
        <TextField label="Code" className="font-mono" autoComplete="one-time-code" required value={token} onChange={(event) => setToken(event.target.value)} problem={refused ? 'Code and password do not go together, or the code is too old. Sign up again for a new one.' : undefined} testId="code" />
        <TextField label="Password" type="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.target.value)} testId="password" />
        {attempt.error !== undefined && !refused && <ErrorNote error={attempt.error} />}
        <Button type="submit" weight="primary" busy={attempt.busy}>Confirm</Button>
      </form>
    </>
  );
}

function InvitationForm({ token: given }: { token: string }) {
  const [token, setToken] = useState(given);
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const attempt = useAttempt(async () => enter(await account.accept({ token: token.trim(), password, ...(name.trim() === '' ? {} : { name: name.trim() }) })));
  const gone = refusedWith(attempt.error, 'invitation_not_found');
  const refused = refusedWith(attempt.error, 'sign_in_failed');
  return (
    <>
      <Heading title="Accept your invitation">It works once and for seven days. With an account already, give its password; else choose one.</Heading>
      <form onSubmit={attempt.submit} className="flex flex-col gap-4">
        <TextField label="Invitation" className="font-mono" required value={token} onChange={(event) => setToken(event.target.value)} problem={gone ? 'This invitation was used, taken back or is too old. Ask for another.' : undefined} testId="invitation" />
        <TextField label="Your name" autoComplete="name" value={name} onChange={(event) => setName(event.target.value)} testId="person-name" />
        <TextField label="Password" type="password" autoComplete="new-password" required minLength={12} value={password} onChange={(event) => setPassword(event.target.value)} hint={passwordHint} problem={refused ? 'The e-mail of this invitation has an account with another password. Give that one.' : undefined} testId="password" />
        {attempt.error !== undefined && !gone && !refused && <ErrorNote error={attempt.error} />}
        <Button type="submit" weight="primary" busy={attempt.busy} data-testid="accept-invitation">Join</Button>
      </form>
    </>
  );
}
