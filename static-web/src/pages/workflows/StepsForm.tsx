import { useState } from 'react';
import type { Json, JsonObject, SpecProblem } from '~/api/types';
import { isObject } from '~/model/graph';
import { freshStepId, stepForms, type Path, type StepForm } from '~/model/specText';
import { humanise } from '~/model/status';
import { Button } from '~/ui/Button';
import { Check, SelectField, TextField } from '~/ui/form';

interface StepsFormProps {
  spec: JsonObject;
  problems: SpecProblem[];
  onEdit: (path: Path, value: Json | undefined) => void;
}

const types = ['agent_task', 'tool_call', 'decision', 'human_approval', 'worker', 'workflow'].map((value) => ({ value, label: humanise(value) }));

/** The workflow as a form. It writes into the text beside it, one place at a time; what it does not know it leaves alone. */
export function StepsForm({ spec, problems, onEdit }: StepsFormProps) {
  const steps = stepForms(spec);
  const [open, setOpen] = useState<string>();
  const add = () => {
    const id = freshStepId(spec);
    const last = steps.at(-1)?.id;
    onEdit(['steps', steps.length], { id, type: 'decision', ...(last ? { needs: [last] } : {}) });
    setOpen(id);
  };
  return (
    <div className="flex flex-col gap-5">
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField label="Name" className="font-mono" value={typeof spec.name === 'string' ? spec.name : ''} onChange={(event) => onEdit(['name'], event.target.value)} testId="form-name" />
        <TextField label="Description" value={typeof spec.description === 'string' ? spec.description : ''} onChange={(event) => onEdit(['description'], event.target.value || undefined)} />
      </div>
      <Agents spec={spec} onEdit={onEdit} />
      <section aria-label="Steps" className="flex flex-col gap-2">
        <h2 className="text-[1.08rem] font-semibold">Steps</h2>
        <ol className="card divide-y divide-line empty:hidden">
          {steps.map((step) => (
            <li key={step.index}>
              <details open={open === step.id} onToggle={(event) => event.currentTarget.open && setOpen(step.id)} data-testid={`form-step-${step.id}`}>
                <summary data-list-item className="flex cursor-pointer flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 hover:bg-sunken">
                  <strong className="font-semibold">{step.id}</strong>
                  <span className="text-[0.87rem] text-ink-2">{humanise(step.type).toLowerCase()}{step.actor && step.actor !== step.id && ` by ${step.actor}`}</span>
                  <span className="ml-auto flex gap-3 text-[0.84rem] text-ink-2">
                    {problems.some(({ pointer, severity }) => severity === 'error' && isWithin(pointer, step.index)) && <span className="font-semibold text-bad">to mend</span>}
                    {step.guards.length > 0 && <span>{step.guards.length === 1 ? '1 guard' : `${step.guards.length} guards`}</span>}
                    {step.checkpoint !== false && <span aria-label="checkpoint" role="img">◆</span>}
                  </span>
                </summary>
                <StepFields step={step} steps={steps} problems={problems} onEdit={onEdit} />
              </details>
            </li>
          ))}
        </ol>
        <Button small className="self-start" onClick={add} data-testid="form-add-step">Add a step</Button>
      </section>
    </div>
  );
}

const isWithin = (pointer: string, step: number) => pointer === `/steps/${step}` || pointer.startsWith(`/steps/${step}/`);

function StepFields({ step, steps, problems, onEdit }: { step: StepForm; steps: StepForm[]; problems: SpecProblem[]; onEdit: StepsFormProps['onEdit'] }) {
  const at = (...path: Path): Path => ['steps', step.index, ...path];
  const problem = (name: string) => problems.find(({ pointer }) => pointer === `/steps/${step.index}/${name}` || pointer.startsWith(`/steps/${step.index}/${name}/`))?.message;
  return (
    <div className="flex flex-col gap-4 px-4 pb-5">
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField label="Id" className="font-mono" value={step.id} onChange={(event) => onEdit(at('id'), event.target.value)} problem={problem('id')} />
        <SelectField label="Type" value={step.type} onChange={(event) => onEdit(at('type'), event.target.value)} options={types} problem={problem('type')} />
        <TextField label="Comes after" className="font-mono" value={step.needs.join(', ')} onChange={(event) => onEdit(at('needs'), listOf(event.target.value))} problem={problem('needs')} hint={`Of ${steps.filter(({ id }) => id !== step.id).map(({ id }) => id).slice(0, 6).join(', ') || 'no other step'}`} />
        <TextField label="Timeout of an attempt" className="font-mono" value={step.timeout} placeholder="30s" onChange={(event) => onEdit(at('timeout'), event.target.value || undefined)} problem={problem('timeout')} />
        <TextField label="Attempts at most" type="number" min={1} max={100} value={step.attempts} placeholder="by the policy" onChange={(event) => onEdit(at('retry', 'max_attempts'), event.target.value === '' ? undefined : Number(event.target.value))} problem={problem('retry')} />
      </div>
      <div className="flex flex-wrap items-end gap-x-5 gap-y-2">
        <Check label="Checkpoint after it" checked={step.checkpoint !== false} onChange={(event) => onEdit(at('checkpoint'), event.target.checked ? true : false)} testId={`form-checkpoint-${step.id}`} />
        {step.checkpoint !== false && <TextField label="Its name" className="font-mono" value={typeof step.checkpoint === 'string' ? step.checkpoint : ''} placeholder={step.id} onChange={(event) => onEdit(at('checkpoint'), event.target.value === '' ? true : event.target.value)} problem={problem('checkpoint')} />}
      </div>
      <fieldset className="flex flex-col gap-3">
        <legend className="pb-1 font-semibold">Guards</legend>
        {step.guards.map((guard) => (
          <div key={`${guard.phase}-${guard.index}`} className="grid gap-3 rounded-xl border border-line p-3 sm:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
            <TextField label={guard.phase === 'pre' ? 'Must hold before it' : 'Must hold after it'} className="font-mono text-[0.9rem]" value={guard.check} onChange={(event) => onEdit(at('guards', guard.phase, guard.index, 'check'), event.target.value)} problem={problem(`guards/${guard.phase}/${guard.index}`)} testId={`form-guard-${step.id}-${guard.phase}-${guard.index}`} />
            <TextField label="Failure code" className="font-mono text-[0.9rem]" value={guard.code} onChange={(event) => onEdit(at('guards', guard.phase, guard.index, 'code'), event.target.value || undefined)} placeholder="guard_failed" />
            <TextField label="What people are told" value={guard.message} onChange={(event) => onEdit(at('guards', guard.phase, guard.index, 'message'), event.target.value || undefined)} />
            <Button small weight="quiet" className="self-end" onClick={() => onEdit(at('guards', guard.phase, guard.index), undefined)}>Remove</Button>
          </div>
        ))}
        <span className="flex flex-wrap gap-2">
          <Button small onClick={() => onEdit(at('guards', 'post', step.guards.filter(({ phase }) => phase === 'post').length), { check: 'output != null', code: 'hallucination', message: 'What this must be, in words.' })} data-testid={`form-add-guard-${step.id}`}>Add a guard after it</Button>
          <Button small onClick={() => onEdit(at('guards', 'pre', step.guards.filter(({ phase }) => phase === 'pre').length), { check: 'input != null', message: 'What must hold before, in words.' })}>Add a guard before it</Button>
        </span>
      </fieldset>
      <Button small weight="quiet" className="self-start text-bad" onClick={() => onEdit(at(), undefined)}>Remove this step</Button>
    </div>
  );
}

const listOf = (text: string) => {
  const names = text.split(',').map((name) => name.trim()).filter((name) => name !== '');
  return names.length === 0 ? undefined : names;
};

function Agents({ spec, onEdit }: { spec: JsonObject; onEdit: StepsFormProps['onEdit'] }) {
  const agents = isObject(spec.agents) ? Object.entries(spec.agents).filter(([, agent]) => isObject(agent)) as [string, JsonObject][] : [];
  if (agents.length === 0) return null;
  return (
    <section aria-label="Agents" className="flex flex-col gap-2">
      <h2 className="text-[1.08rem] font-semibold">Agents</h2>
      <ul className="card divide-y divide-line">
        {agents.map(([name, agent]) => (
          <li key={name}>
            <details>
              <summary data-list-item className="flex cursor-pointer flex-wrap items-center gap-x-3 px-4 py-2.5 hover:bg-sunken"><strong className="font-semibold">{name}</strong><span className="text-[0.87rem] text-ink-2">{[agent.role, agent.model].filter((one) => typeof one === 'string').join(', ')}</span></summary>
              <div className="flex flex-col gap-4 px-4 pb-5">
                <label className="flex flex-col gap-1.5 font-semibold">Prompt<textarea className="field min-h-28 font-normal" value={typeof agent.prompt === 'string' ? agent.prompt : ''} onChange={(event) => onEdit(['agents', name, 'prompt'], event.target.value)} /></label>
                <TextField label="Model" className="font-mono" value={typeof agent.model === 'string' ? agent.model : ''} onChange={(event) => onEdit(['agents', name, 'model'], event.target.value || undefined)} />
              </div>
            </details>
          </li>
        ))}
      </ul>
    </section>
  );
}
