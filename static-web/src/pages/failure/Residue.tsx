import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '~/api/client';
import { residueQuery } from '~/api/queries';
import { useRefresh } from '~/api/refresh';
import type { ResidueView } from '~/api/types';
import { residueReason } from '~/model/residue';
import { shortId } from '~/model/format';
import { Confirm } from '~/ui/Confirm';
import { MayButton } from '~/ui/may';
import { Section } from '~/ui/Page';
import { Ago } from '~/ui/time';
import { JsonBlock } from '~/ui/Value';

/** What rollbacks of this run could not undo. It stands in the world until a person deals with it, and says so here. */
export function Residue({ execution }: { execution: string }) {
  const residue = useQuery(residueQuery(execution));
  if (!residue.data || residue.data.items.length === 0) return null;
  return (
    <Section title="Left in the world">
      <ul className="flex flex-col gap-3" data-testid="residue">
        {residue.data.items.map((left) => <Left key={left.id} left={left} />)}
      </ul>
    </Section>
  );
}

/** `apart` from its run: says which one it belongs to. */
export function Left({ left, apart = false }: { left: ResidueView; apart?: boolean }) {
  const [resolving, setResolving] = useState(false);
  const [note, setNote] = useState('');
  const client = useQueryClient();
  const refresh = useRefresh();
  const resolve = async () => {
    await api.resolveResidue(left.id, note.trim());
    await Promise.all([refresh(left.execution), client.invalidateQueries({ queryKey: ['residue'] })]);
  };
  return (
    <li className="card flex flex-col gap-2 p-4" data-testid={`residue-${left.step}`} data-status={left.status}>
      <p><strong className="font-semibold">{left.tool}</strong>, called by {left.step}: {residueReason(left)}</p>
      {apart && <p className="text-[0.92rem] text-ink-2"><Link to="/executions/$executionId" params={{ executionId: left.execution }} search={{ step: `${left.step}.${left.visit}` }} className="underline underline-offset-2">{left.workflow}, {shortId(left.execution)}</Link>, <Ago at={left.at} />{left.accepted_by && `, accepted by ${left.accepted_by}`}</p>}
      {apart && <JsonBlock value={left.arguments} label={`Arguments of ${left.tool}`} />}
      <p className="text-[0.92rem] text-ink-2">{left.message}{left.idempotency_key && <>, key <span className="font-mono">{left.idempotency_key}</span></>}</p>
      {left.resolved
        ? <p className="text-[0.92rem] text-good">Dealt with <Ago at={left.resolved.at} />{left.resolved.note && <>: {left.resolved.note}</>}</p>
        : <div><MayButton scope="decide" small onClick={() => setResolving(true)} data-testid="resolve-residue">I have dealt with it</MayButton></div>}
      <Confirm scope="decide" title={`What was done about ${left.tool}?`} confirm="Put it on record" open={resolving} onOpenChange={setResolving} onConfirm={resolve}>
        <p>Saying so does nothing outside: it takes this off the list of what is open, under your key, for good.</p>
        <label className="flex flex-col gap-1">
          <span className="font-medium text-ink">What was done</span>
          <textarea className="field" rows={3} maxLength={2_000} value={note} onChange={(event) => setNote(event.target.value)} data-testid="residue-note" />
        </label>
      </Confirm>
    </li>
  );
}
