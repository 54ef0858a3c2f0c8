import type { AgentEdits, ProposalView } from '~/api/types';
import { count } from '~/model/format';
import { Button } from '~/ui/Button';
import { Section } from '~/ui/Page';
import { Ago } from '~/ui/time';

/** Edits that somebody, or a coding assistant, has laid before whoever decides. None is applied by being here. */
export function Proposals({ proposals, taken, onTake }: { proposals: ProposalView[]; taken?: string | undefined; onTake?: (proposal: ProposalView) => void }) {
  if (proposals.length === 0) return null;
  return (
    <Section title={count(proposals.length, 'proposed edit')} aside={onTake && 'Taking one fills the editor below; nothing is decided by that.'}>
      <ul aria-label="Proposed edits" className="flex flex-col gap-2">
        {proposals.map((proposal) => (
          <li key={proposal.id} data-testid={`proposal-${proposal.id}`} className="flex flex-col gap-2 rounded-xl border border-edge bg-surface px-4 py-3">
            <span className="flex flex-wrap justify-between gap-x-3 text-[0.9rem] text-ink-2"><span>by <span className="font-mono text-[0.84rem] text-ink">{proposal.by}</span>, <Ago at={proposal.at} /></span><span>{edited(proposal.edits)}</span></span>
            {proposal.note && <p>{proposal.note}</p>}
            <Edits edits={proposal.edits} />
            {onTake && <Button small className="self-start" aria-pressed={taken === proposal.id} onClick={() => onTake(proposal)} data-testid={`take-${proposal.id}`}>{taken === proposal.id ? 'In the editor' : 'Take it into the editor'}</Button>}
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** What it would change, in full: whoever decides must not have to look elsewhere. */
function Edits({ edits }: { edits: AgentEdits }) {
  return (
    <>
      {edits.prompt !== undefined && <pre tabIndex={0} aria-label="The prompt as proposed" className="max-h-56 overflow-auto rounded-lg bg-sunken px-3 py-2 font-mono text-[0.84rem] whitespace-pre-wrap">{edits.prompt}</pre>}
      {edits.constraints && <ul aria-label="The constraints as proposed" className="list-disc pl-5">{edits.constraints.map((text) => <li key={text}>{text}</li>)}</ul>}
      {edits.tools && <p>Tools it may use: <span className="font-mono text-[0.87rem]">{edits.tools.length === 0 ? 'none' : edits.tools.join(', ')}</span></p>}
    </>
  );
}

const edited = (edits: AgentEdits) => [edits.prompt !== undefined && 'prompt', edits.constraints && 'constraints', edits.tools && 'tools'].filter(Boolean).join(', ');
