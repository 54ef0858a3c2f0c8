import { useState } from 'react';
import type { AgentView, ReviewView } from '~/api/types';
import { mayEdit, type Draft } from '~/model/recovery';
import { humanise } from '~/model/status';
import { Button } from '~/ui/Button';
import { Editor } from '~/ui/editor';
import { Section } from '~/ui/Page';
import { ConstraintsEditor } from './ConstraintsEditor';

interface EditPanelProps {
  agent: AgentView;
  review: ReviewView;
  draft: Draft;
  changed: boolean;
  onChange: (draft: Draft) => void;
  onReset: () => void;
}

export function EditPanel({ agent, review, draft, changed, onChange, onReset }: EditPanelProps) {
  const [showChanges, setShowChanges] = useState(true);
  const promptOpen = mayEdit(review, 'prompt');
  return (
    <Section title={`Agent ${agent.id}`} aside={[agent.role, agent.model].filter(Boolean).join(', ')}>
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h3 className="font-semibold">Prompt</h3>
        <span className="flex items-center gap-2">
          <label className="flex min-h-8 items-center gap-2 text-[0.9rem]">
            <input type="checkbox" className="size-4 accent-[var(--ink)]" checked={showChanges} onChange={(event) => setShowChanges(event.target.checked)} />
            Show what changed
          </label>
          {changed && <Button small weight="quiet" onClick={onReset}>Undo all edits</Button>}
        </span>
      </div>
      <Editor
        label="Prompt" testId="prompt-editor" value={draft.prompt} readOnly={!promptOpen} onChange={(prompt) => onChange({ ...draft, prompt })}
        {...(showChanges ? { original: agent.prompt } : {})}
      />
      {!promptOpen && <p className="text-[0.9rem] text-ink-2">The policy of this workflow does not let a review change the prompt.</p>}
      <ConstraintsEditor before={agent.constraints} value={draft.constraints} locked={!mayEdit(review, 'constraints')} onChange={(constraints) => onChange({ ...draft, constraints })} />
      {agent.tools.length > 0 && mayEdit(review, 'tool_selection') && (
        <fieldset className="flex flex-wrap gap-x-5 gap-y-1">
          <legend className="pb-1 font-semibold">Tools it may use</legend>
          {agent.tools.map((tool) => (
            <label key={tool} className="flex min-h-8 items-center gap-2 font-mono text-[0.87rem]">
              <input
                type="checkbox" className="size-4 accent-[var(--ink)]" checked={draft.tools.includes(tool)}
                onChange={(event) => onChange({ ...draft, tools: agent.tools.filter((other) => (other === tool ? event.target.checked : draft.tools.includes(other))) })}
              />
              {tool}
            </label>
          ))}
        </fieldset>
      )}
      <p className="text-[0.87rem] text-ink-2">
        For this run only; the saved workflow stays as it is.{review.forbidden_edits.length > 0 && <> Out of reach here: {review.forbidden_edits.map((name) => humanise(name).toLowerCase()).join(', ')}.</>}
      </p>
    </Section>
  );
}
