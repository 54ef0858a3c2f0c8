import { useId, useState } from 'react';
import { api } from '~/api/client';
import { ApiError } from '~/api/errors';
import { useRefresh } from '~/api/refresh';
import type { Decision, ReviewView } from '~/api/types';
import { parseInput } from '~/model/spec';
import { decisionLook } from '~/model/status';
import { Confirm } from '~/ui/Confirm';
import { Check } from '~/ui/form';

/** Any decision but the retry: says what will happen, takes a note, and an output where the decision carries one. */
export function DecisionDialog({ review, decision, onClose }: { review: ReviewView; decision: Decision; onClose: () => void }) {
  const [note, setNote] = useState('');
  const [output, setOutput] = useState('');
  // What nothing can undo: known once the server has named it, and asked about then.
  const [leaves, setLeaves] = useState(false);
  const [accepted, setAccepted] = useState(false);
  const refresh = useRefresh();
  const problem = useId();
  const look = decisionLook(decision, review.kind);
  const parsed = parseInput(output);
  const hasOutput = output.trim() !== '';
  const ready = (!leaves || accepted) && (!look.needsOutput || (parsed.ok && (decision === 'done' || hasOutput)));

  const decide = async () => {
    try {
      await api.decide(review.id, {
        decision,
        digest: review.digest,
        ...(look.needsOutput && hasOutput && parsed.ok ? { output: parsed.value } : {}),
        ...(note.trim() === '' ? {} : { note: note.trim() }),
        ...(accepted ? { accept_residue: true } : {}),
      });
    } catch (refused) {
      if (decision === 'rollback' && review.kind === 'failure' && refused instanceof ApiError && refused.code === 'rollback_irreversible') setLeaves(true);
      throw refused;
    }
    await refresh(review.execution);
  };

  return (
    <Confirm scope="decide" title={`${look.label}?`} confirm={look.label} grave={look.grave} ready={ready} open onOpenChange={(open) => !open && onClose()} onConfirm={decide}>
      <p>{look.consequence}</p>
      {look.needsOutput && (
        <label className="flex flex-col gap-1.5 font-semibold text-ink">
          {decision === 'done' ? 'Its result, as JSON (may stay empty)' : 'The output, as JSON'}
          <textarea
            className="field min-h-32 font-mono text-[0.87rem] font-normal" spellCheck={false} value={output} onChange={(event) => setOutput(event.target.value)}
            aria-invalid={!parsed.ok || undefined} aria-describedby={parsed.ok ? undefined : problem} placeholder='{"apr": 5.2}'
          />
          {!parsed.ok && <span id={problem} className="font-normal text-bad">{parsed.message}</span>}
        </label>
      )}
      {leaves && <Check label="I accept that this stays" hint="It goes on the list of what was left behind, under your name." checked={accepted} onChange={(event) => setAccepted(event.target.checked)} testId="accept-residue" />}
      <label className="flex flex-col gap-1.5 font-semibold text-ink">
        Note, kept in the log (may stay empty)
        <input className="field font-normal" value={note} onChange={(event) => setNote(event.target.value)} />
      </label>
    </Confirm>
  );
}
