import { listChanges } from '~/model/recovery';
import { Button } from '~/ui/Button';

/** One line per constraint; new ones are marked, and those taken away stay in sight until the decision. */
export function ConstraintsEditor({ before, value, locked, onChange }: { before: string[]; value: string[]; locked: boolean; onChange: (value: string[]) => void }) {
  const removed = listChanges(before, value).filter(({ change }) => change === 'removed');
  const set = (index: number, text: string) => onChange(value.map((old, at) => (at === index ? text : old)));
  return (
    <fieldset className="flex flex-col gap-2" disabled={locked}>
      <legend className="pb-1 font-semibold">Constraints</legend>
      {value.length === 0 && <p className="text-[0.92rem] text-ink-2">None yet. A constraint is one sentence that the agent must keep.</p>}
      {value.map((text, index) => (
        <div key={index} className="flex items-center gap-2">
          <span aria-hidden="true" className={`w-3 text-center font-mono font-bold text-good ${before.includes(text) ? 'invisible' : ''}`}>+</span>
          <input
            aria-label={`Constraint ${index + 1}${before.includes(text) ? '' : ', new'}`} value={text} onChange={(event) => set(index, event.target.value)} data-testid={`constraint-${index}`}
            className={`field min-w-0 flex-1 ${before.includes(text) ? '' : 'border-good bg-good-wash'}`}
          />
          <Button small weight="quiet" aria-label={`Remove constraint ${index + 1}`} onClick={() => onChange(value.filter((_, at) => at !== index))}>Remove</Button>
        </div>
      ))}
      {removed.map(({ text }) => (
        <p key={text} className="ml-5 flex items-center justify-between gap-2 rounded-lg bg-bad-wash px-3 py-1 text-[0.92rem]">
          <span><span className="sr-only">Removed: </span><del>{text}</del></span>
          <Button small weight="quiet" onClick={() => onChange([...value, text])}>Put back</Button>
        </p>
      ))}
      <Button small className="ml-5 self-start" onClick={() => onChange([...value, ''])} data-testid="add-constraint">Add a constraint</Button>
    </fieldset>
  );
}
