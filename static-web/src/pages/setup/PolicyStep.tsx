import { useState } from 'react';
import type { JsonObject } from '~/api/types';
import { parsePolicy, policyText, starterPolicy } from '~/model/policy';
import { actions, edits, policyForm, policyOf, triggers, type PolicyForm } from '~/model/policyForm';
import { Button } from '~/ui/Button';
import { Editor } from '~/ui/editor';
import { Check, TextField } from '~/ui/form';
import { Section } from '~/ui/Page';
import { Problems } from '../workflows/Problems';
import type { Findings } from '../workflows/useFindings';

/** What happens when something fails, by form or as text; both say the same. */
export function PolicyStep({ spec, found, onSpec }: { spec: JsonObject; found: Findings; onSpec: (spec: JsonObject) => void }) {
  const [text, setText] = useState(() => policyText(spec.recovery));
  const parsed = parsePolicy(text);
  const form = policyForm(spec.recovery);
  const problems = found.problems.filter(({ pointer }) => pointer.startsWith('/recovery')).map((problem) => ({ ...problem, pointer: problem.pointer.slice('/recovery'.length) }));
  const keep = (policy: JsonObject | undefined) => {
    const { recovery: _, ...rest } = spec;
    onSpec(policy === undefined ? rest : { ...rest, recovery: policy });
  };
  const write = (next: string) => {
    setText(next);
    const read = parsePolicy(next);
    if (read.ok) keep((read.value ?? undefined) as JsonObject | undefined);
  };
  const choose = (next: PolicyForm) => {
    const policy = policyOf(next);
    setText(policyText(policy));
    keep(policy);
  };
  const toggled = (list: string[], name: string, on: boolean) => (on ? [...list, name] : list.filter((one) => one !== name));
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-8 xl:grid-cols-2">
      <Section title="By form">
        {!form && <p className="text-ink-2">This policy has rules of its own. They are in the text beside, which the form cannot show.</p>}
        {form && (
          <div className="flex flex-col gap-5">
            <fieldset><legend className="pb-1 font-semibold">Step in when</legend>{triggers.map(([name, label]) => <Check key={name} label={label} checked={form.triggers.includes(name)} onChange={(event) => choose({ ...form, triggers: toggled(form.triggers, name, event.target.checked) })} testId={`trigger-${name}`} />)}</fieldset>
            <fieldset><legend className="pb-1 font-semibold">Then, in this order</legend>{actions.map(([name, label]) => <Check key={name} label={label} checked={form.actions.includes(name)} onChange={(event) => choose({ ...form, actions: toggled(form.actions, name, event.target.checked) })} testId={`action-${name}`} />)}</fieldset>
            <fieldset><legend className="pb-1 font-semibold">Who reviews may change</legend>{edits.map(([name, label]) => <Check key={name} label={label} checked={form.allowedEdits.includes(name)} onChange={(event) => choose({ ...form, allowedEdits: toggled(form.allowedEdits, name, event.target.checked) })} />)}</fieldset>
            <div className="grid gap-4 sm:grid-cols-2">
              <TextField label="Retries of other failures" type="number" min={0} max={100} value={form.retries} placeholder="by the tenant’s policy" onChange={(event) => choose({ ...form, retries: event.target.value })} hint={form.retries === '' ? undefined : `${Number(form.retries) + 1} attempts in all; the same failure twice ends it at once.`} />
              <TextField label="Waiting between them" className="font-mono" value={form.backoff} placeholder="exponential(1s, 10s)" disabled={form.retries === ''} onChange={(event) => choose({ ...form, backoff: event.target.value })} />
            </div>
          </div>
        )}
      </Section>
      <Section title="As text" aside={text.trim() === '' && <Button small weight="quiet" onClick={() => write(starterPolicy)} data-testid="policy-example">Begin with an example</Button>}>
        <Editor label="Recovery policy as YAML" language="yaml" testId="policy-editor" hint="rollback_triggers: …" value={text} onChange={write} />
        {!parsed.ok && <p className="text-bad">{parsed.message}</p>}
        {problems.length > 0 && <Problems problems={problems} />}
        <p role="status" className="text-[0.93rem]">{parsed.ok && problems.length === 0 && text.trim() !== '' && !found.checking && <span className="font-semibold text-good">The policy is valid.</span>}{text.trim() === '' && <span className="text-ink-2">Without one, the tenant’s policy holds.</span>}</p>
      </Section>
    </div>
  );
}
