import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { account } from '~/api/account';
import { sessionQuery } from '~/api/accountQueries';
import { ApiError } from '~/api/errors';
import { signInPerson, signOut } from '~/api/session';
import { Button } from '~/ui/Button';
import { Facts, TextField } from '~/ui/form';
import { Section } from '~/ui/Page';
import { ErrorNote, Loading } from '~/ui/states';

export function YouTab() {
  const session = useQuery(sessionQuery);
  const go = useMutation({
    mutationFn: account.switchTenant,
    onSuccess: ({ csrf }) => csrf && signInPerson(csrf),
  });
  if (session.isError && !session.data) return <ErrorNote error={session.error} retry={() => void session.refetch()} />;
  if (!session.data) return <Loading lines={4} label="Loading your account" />;
  const { email, name, role, tenant, tenants } = session.data;
  return (
    <div className="flex flex-col gap-9">
      <Section title={name ?? email ?? 'You'}><Facts rows={[['E-mail', email ?? 'erased'], ['Role here', role]]} /></Section>
      {tenants.length > 1 && (
        <Section title="Tenants">
          <ul className="card divide-y divide-line">
            {tenants.map((one) => (
              <li key={one.tenant} className="flex items-center justify-between gap-4 px-4 py-3">
                <span><strong className="font-semibold">{one.name}</strong> <span className="text-ink-2">as {one.role}</span></span>
                {one.tenant === tenant ? <span className="text-ink-2">you are here</span> : <Button small busy={go.isPending} onClick={() => go.mutate(one.tenant)}>Go there</Button>}
              </li>
            ))}
          </ul>
          {go.isError && <ErrorNote error={go.error} />}
        </Section>
      )}
      <Password />
    </div>
  );
}

function Password() {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({ mutationFn: () => account.changePassword({ current_password: current, new_password: next }), onSuccess: signOut });
  const wrong = change.error instanceof ApiError && change.error.code === 'sign_in_failed';
  const submit = (event: FormEvent) => { event.preventDefault(); change.mutate(); };
  return (
    <Section title="Password">
      <form onSubmit={submit} className="flex max-w-md flex-col gap-4">
        <TextField label="Present password" type="password" autoComplete="current-password" required value={current} onChange={(event) => setCurrent(event.target.value)} problem={wrong ? 'This is not your present password.' : undefined} />
        <TextField label="New password" type="password" autoComplete="new-password" required minLength={12} value={next} onChange={(event) => setNext(event.target.value)} hint="12 characters or more. Every session of yours ends, this one too." />
        {change.isError && !wrong && <ErrorNote error={change.error} />}
        <Button type="submit" className="self-start" busy={change.isPending}>Change it</Button>
      </form>
    </Section>
  );
}
