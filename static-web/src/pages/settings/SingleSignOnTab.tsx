import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { account } from '~/api/account';
import { singleSignOnQuery } from '~/api/accountQueries';
import { ApiError } from '~/api/errors';
import type { SingleSignOnView } from '~/api/generated';
import { roles } from '~/model/access';
import { Button } from '~/ui/Button';
import { Confirm } from '~/ui/Confirm';
import { SelectField, TextField } from '~/ui/form';
import { Section } from '~/ui/Page';
import { ErrorNote, Loading } from '~/ui/states';
import { CopyButton } from '~/ui/Value';

export function SingleSignOnTab() {
  const held = useQuery(singleSignOnQuery);
  const unset = held.error instanceof ApiError && held.error.status === 404;
  if (held.isPending) return <Loading lines={4} label="Loading single sign-on" />;
  if (held.isError && !unset) return <ErrorNote error={held.error} retry={() => void held.refetch()} />;
  return <SingleSignOnForm key={held.data?.client_id ?? 'unset'} held={held.data} />;
}

function SingleSignOnForm({ held }: { held: SingleSignOnView | undefined }) {
  const [issuer, setIssuer] = useState(held?.issuer ?? '');
  const [clientId, setClientId] = useState(held?.client_id ?? '');
  const [clientSecret, setClientSecret] = useState('');
  const [domains, setDomains] = useState(held?.email_domains.join(', ') ?? '');
  const [role, setRole] = useState(held?.role ?? 'viewer');
  const [removing, setRemoving] = useState(false);
  const client = useQueryClient();
  const refresh = () => client.resetQueries({ queryKey: ['sso'] });
  const save = useMutation({
    mutationFn: () => account.setSingleSignOn({
      issuer: issuer.trim(), client_id: clientId.trim(), role, email_domains: domains.split(',').map((domain) => domain.trim()).filter((domain) => domain !== ''), ...(clientSecret === '' ? {} : { client_secret: clientSecret }),
    }),
    onSuccess: refresh,
  });
  const submit = (event: FormEvent) => { event.preventDefault(); save.mutate(); };
  const callback = `${window.location.origin}/v1/auth/oidc/callback`;
  return (
    <Section title="Single sign-on by OpenID Connect">
      <p className="measure text-ink-2">Register this address with your issuer, then give what it gave you. People are known by issuer and subject, never by e-mail.</p>
      <p className="flex flex-wrap items-center gap-2"><code className="font-mono text-[0.87rem] break-all">{callback}</code><CopyButton text={callback} what="the address" /></p>
      {held && <p className="flex flex-wrap items-center gap-2 rounded-xl bg-good-wash px-4 py-3">People sign in at <code className="font-mono text-[0.87rem] break-all">{window.location.origin}{held.start_path}</code><CopyButton text={window.location.origin + held.start_path} what="the sign-in address" /></p>}
      <form onSubmit={submit} className="flex max-w-lg flex-col gap-4">
        <TextField label="Issuer" type="url" required value={issuer} onChange={(event) => setIssuer(event.target.value)} placeholder="https://login.example.com" />
        <TextField label="Client id" required className="font-mono" value={clientId} onChange={(event) => setClientId(event.target.value)} />
        <TextField label="Client secret" type="password" autoComplete="off" className="font-mono" value={clientSecret} onChange={(event) => setClientSecret(event.target.value)} hint={held?.has_client_secret ? 'One is kept. Give another to replace it.' : 'Only where the issuer gave one.'} />
        <TextField label="E-mail domains" value={domains} onChange={(event) => setDomains(event.target.value)} placeholder="example.com" hint="Only verified e-mails of these may come in. Empty: whoever the issuer lets in." />
        <SelectField label="Role of who comes for the first time" value={role} onChange={(event) => setRole(event.target.value)} options={roles.filter(({ value }) => value !== 'admin')} />
        {save.isError && <ErrorNote error={save.error} />}
        <span className="flex flex-wrap gap-2">
          <Button type="submit" weight="primary" busy={save.isPending}>{held ? 'Save' : 'Connect'}</Button>
          {held && <Button weight="quiet" onClick={() => setRemoving(true)}>Disconnect</Button>}
        </span>
      </form>
      <Confirm scope="admin" title="Disconnect single sign-on?" confirm="Disconnect" grave open={removing} onOpenChange={setRemoving} onConfirm={async () => { await account.removeSingleSignOn(); await refresh(); }}>
        <p>Nobody can come in that way from now on. Sessions that are open go on until they end.</p>
      </Confirm>
    </Section>
  );
}
