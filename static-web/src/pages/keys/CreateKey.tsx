import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { account } from '~/api/account';
import { meQuery } from '~/api/queries';
import { scopes, scopeWords, type Scope } from '~/model/access';
import { Button } from '~/ui/Button';
import { Check, SelectField, TextField } from '~/ui/form';
import { MayButton } from '~/ui/may';
import { Panel } from '~/ui/Panel';
import { ErrorNote } from '~/ui/states';
import { Secret } from './Secret';

export function CreateKey({ onClose }: { onClose: () => void }) {
  return (
    <Panel title="Create a key" open onOpenChange={(open) => !open && onClose()}>
      <CreateKeyForm whole onDone={onClose} />
    </Panel>
  );
}

/** `whole` asks for environment, scopes and spend cap, too; without it a key has everything its maker may but `admin`. */
export function CreateKeyForm({ suggestion = '', whole = false, onDone }: { suggestion?: string; whole?: boolean; onDone?: () => void }) {
  const [name, setName] = useState(suggestion);
  const [environment, setEnvironment] = useState('');
  const [chosen, setChosen] = useState<Scope[]>(['read', 'run', 'work', 'write', 'propose', 'decide']);
  const [cap, setCap] = useState('');
  const client = useQueryClient();
  const me = useQuery(meQuery);
  const mine = me.data?.scopes ?? scopes;
  const create = useMutation({
    mutationFn: () => account.createKey({
      name: name.trim(), environment: environment || (me.data?.environment ?? null),
      ...(whole ? { scopes: chosen.filter((scope) => mine.includes(scope)), spend_cap_credits: cap === '' ? null : Number(cap) } : {}),
    }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['keys'] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() !== '') create.mutate();
  };
  if (create.data?.secret) {
    return (
      <div className="flex flex-col gap-4">
        <Secret secret={create.data.secret} />
        {onDone && <Button weight="primary" className="self-end" onClick={onDone}>I have kept it</Button>}
      </div>
    );
  }
  const environments = [...new Set([me.data?.environment ?? 'dev', 'dev', 'test', 'staging', 'prod'])];
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <TextField label="Name" value={name} onChange={(event) => setName(event.target.value)} placeholder="onboarding-service" testId="key-name" hint="The program that will use it." />
      {whole && (
        <>
          <SelectField label="Environment" value={environment || (me.data?.environment ?? 'dev')} onChange={(event) => setEnvironment(event.target.value)} options={environments.map((value) => ({ value, label: value }))} hint="Stands in the key itself, so that a wrong one is seen at a glance." testId="key-environment" />
          <fieldset className="flex flex-col">
            <legend className="pb-1 font-semibold">It may</legend>
            {scopes.map((scope) => (
              <Check
                key={scope} label={<code className="font-mono text-[0.9rem]">{scope}</code>} hint={mine.includes(scope) ? scopeWords[scope] : `${scopeWords[scope]}; you may not yourself, so your keys may not either`} disabled={!mine.includes(scope)}
                checked={chosen.includes(scope) && mine.includes(scope)} testId={`key-scope-${scope}`}
                onChange={(event) => setChosen(event.target.checked ? [...chosen, scope] : chosen.filter((one) => one !== scope))}
              />
            ))}
          </fieldset>
          <TextField label="Spend cap a month" type="number" min={1} step={1} inputMode="numeric" value={cap} onChange={(event) => setCap(event.target.value)} placeholder="none" hint={cap === '' ? 'In credits; 1,000 are one US dollar. Empty: no cap.' : `${Number(cap).toLocaleString('en')} credits are $${(Number(cap) / 1000).toFixed(2)}. Beyond it starts are refused and runs wait.`} testId="key-cap" />
        </>
      )}
      {create.isError && <ErrorNote error={create.error} />}
      <MayButton scope="admin" type="submit" weight="primary" className="self-start" busy={create.isPending} disabled={name.trim() === '' || (whole && chosen.length === 0)} data-testid="key-submit">Create the key</MayButton>
    </form>
  );
}
