import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { account } from '~/api/account';
import { retentionQuery } from '~/api/accountQueries';
import type { RetentionView } from '~/api/generated';
import { Button } from '~/ui/Button';
import { Check, TextField } from '~/ui/form';
import { Section } from '~/ui/Page';
import { ErrorNote, Loading } from '~/ui/states';

export function RetentionTab() {
  const retention = useQuery(retentionQuery);
  if (retention.isError && !retention.data) return <ErrorNote error={retention.error} retry={() => void retention.refetch()} />;
  if (!retention.data) return <Loading lines={4} label="Loading retention" />;
  return <RetentionForm key={JSON.stringify(retention.data)} held={retention.data} />;
}

function RetentionForm({ held }: { held: RetentionView }) {
  const [days, setDays] = useState(held.executions_days === undefined ? '' : String(held.executions_days));
  const [hold, setHold] = useState(held.legal_hold);
  const [reason, setReason] = useState(held.reason ?? '');
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: () => account.setRetention({ executions_days: days === '' ? null : Number(days), legal_hold: hold, reason: reason.trim() === '' ? null : reason.trim() }),
    onSuccess: (view) => client.setQueryData(['retention'], view),
  });
  const submit = (event: FormEvent) => { event.preventDefault(); save.mutate(); };
  return (
    <Section title="How long runs are kept">
      <p className="measure text-ink-2">Erasing destroys the key of a run: inputs, outputs and messages can never be read again, by anybody. Ids, times, classes and hashes stay, and the log still verifies.</p>
      <form onSubmit={submit} className="flex max-w-lg flex-col gap-4">
        <TextField label="Erase ended runs after, in days" type="number" min={1} step={1} value={days} onChange={(event) => setDays(event.target.value)} placeholder="keep for ever" hint={hold ? 'While the legal hold stands, nothing is erased.' : 'Looked at every five minutes. Empty: nothing is erased by itself.'} testId="retention-days" />
        <div className={`rounded-xl border px-4 py-3 ${hold ? 'border-wait bg-wait-wash' : 'border-line'}`}>
          <Check label="Legal hold" hint="While it stands, every erasure is refused, by anybody." checked={hold} onChange={(event) => setHold(event.target.checked)} testId="legal-hold" />
          {hold && <div className="pt-2"><TextField label="Reason" value={reason} onChange={(event) => setReason(event.target.value)} placeholder="Case 2026-114" /></div>}
        </div>
        {save.isError && <ErrorNote error={save.error} />}
        <span className="flex items-center gap-3">
          <Button type="submit" weight="primary" busy={save.isPending} data-testid="retention-save">Save</Button>
          <span role="status" className="text-good">{save.isSuccess && 'Saved.'}</span>
        </span>
      </form>
    </Section>
  );
}
