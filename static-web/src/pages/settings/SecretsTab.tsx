import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { account } from '~/api/account';
import { secretsQuery } from '~/api/accountQueries';
import { Button } from '~/ui/Button';
import { Confirm } from '~/ui/Confirm';
import { TextField } from '~/ui/form';
import { Section } from '~/ui/Page';
import { Panel } from '~/ui/Panel';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { Ago } from '~/ui/time';

export function SecretsTab() {
  const secrets = useQuery(secretsQuery);
  const client = useQueryClient();
  const [setting, setSetting] = useState<string>();
  const [deleting, setDeleting] = useState<string>();
  return (
    <Section title="Tool credentials" aside={<Button weight="primary" onClick={() => setSetting('')}>Set a credential</Button>}>
      <p className="measure text-ink-2">A tool’s address, headers and body call one as <code className="font-mono text-[0.87em]">{'${{ secrets.name }}'}</code>. It is read at the moment of sending and stands in no event, log or export. Nobody can read it back, here either.</p>
      {secrets.isError && !secrets.data && <ErrorNote error={secrets.error} retry={() => void secrets.refetch()} />}
      {secrets.isPending && <Loading lines={3} label="Loading the names" />}
      {secrets.data?.length === 0 && <Empty title="None yet">Set one where a tool of yours needs a token, instead of writing the token into the workflow.</Empty>}
      {secrets.data && secrets.data.length > 0 && (
        <ul aria-label="Tool credentials" className="card divide-y divide-line">
          {secrets.data.map((secret) => (
            <li key={secret.name} className="flex flex-wrap items-center gap-x-5 gap-y-2 px-4 py-3">
              <code className="min-w-0 flex-1 basis-40 font-mono font-medium">{secret.name}</code>
              <span className="text-[0.87rem] text-ink-2">set <Ago at={secret.set_at} /> by {secret.set_by}</span>
              <Button small weight="quiet" onClick={() => setSetting(secret.name)} aria-label={`Replace ${secret.name}`}>Replace</Button>
              <Button small weight="quiet" onClick={() => setDeleting(secret.name)} aria-label={`Delete ${secret.name}`}>Delete</Button>
            </li>
          ))}
        </ul>
      )}
      {setting !== undefined && <SetSecret known={setting} onClose={() => setSetting(undefined)} />}
      <Confirm scope="admin" title={`Delete ${deleting ?? ''}?`} confirm="Delete it" grave open={deleting !== undefined} onOpenChange={() => setDeleting(undefined)} onConfirm={async () => { await account.deleteSecret(deleting!); await client.invalidateQueries({ queryKey: ['secrets'] }); }}>
        <p>Tools that call it are refused from the next call on, and their steps fail.</p>
      </Confirm>
    </Section>
  );
}

function SetSecret({ known, onClose }: { known: string; onClose: () => void }) {
  const [name, setName] = useState(known);
  const [value, setValue] = useState('');
  const client = useQueryClient();
  const set = useMutation({
    mutationFn: () => account.setSecret(name.trim(), value),
    onSuccess: async () => { await client.invalidateQueries({ queryKey: ['secrets'] }); onClose(); },
  });
  const submit = (event: FormEvent) => { event.preventDefault(); set.mutate(); };
  return (
    <Panel title={known === '' ? 'Set a credential' : `Replace ${known}`} open onOpenChange={(open) => !open && onClose()}>
      <form onSubmit={submit} className="flex flex-col gap-4">
        {known === '' && <TextField label="Name" className="font-mono" required pattern="[a-z][a-z0-9_]*" value={name} onChange={(event) => setName(event.target.value)} placeholder="crm_token" hint="Small letters, digits and underscores." />}
        <TextField label="Value" className="font-mono" type="password" autoComplete="off" required value={value} onChange={(event) => setValue(event.target.value)} />
        {set.isError && <ErrorNote error={set.error} />}
        <Button type="submit" weight="primary" className="self-start" busy={set.isPending} disabled={name.trim() === '' || value === ''}>Keep it</Button>
      </form>
    </Panel>
  );
}
