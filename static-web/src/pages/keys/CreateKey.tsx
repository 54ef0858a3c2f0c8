import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { api } from '~/api/client';
import { meQuery } from '~/api/queries';
import { Button } from '~/ui/Button';
import { Panel } from '~/ui/Panel';
import { ErrorNote } from '~/ui/states';
import { Secret } from './Secret';

export function CreateKey({ onClose }: { onClose: () => void }) {
  return (
    <Panel title="Create a key" open onOpenChange={(open) => !open && onClose()}>
      <CreateKeyForm onDone={onClose} />
    </Panel>
  );
}

export function CreateKeyForm({ suggestion = '', onDone }: { suggestion?: string; onDone?: () => void }) {
  const [name, setName] = useState(suggestion);
  const client = useQueryClient();
  const me = useQuery(meQuery);
  const create = useMutation({
    mutationFn: () => api.createKey({ name: name.trim(), ...(me.data ? { environment: me.data.environment } : {}) }),
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
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <label className="flex flex-col gap-1.5 font-semibold">
        Name
        <input className="field min-h-10 font-normal" value={name} onChange={(event) => setName(event.target.value)} placeholder="onboarding-service" data-testid="key-name" />
        <span className="text-[0.87rem] font-normal text-ink-2">The program that will use it.</span>
      </label>
      {create.isError && <ErrorNote error={create.error} />}
      <Button type="submit" weight="primary" className="self-start" busy={create.isPending} disabled={name.trim() === ''} data-testid="key-submit">Create the key</Button>
    </form>
  );
}
