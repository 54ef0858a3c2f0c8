import type { SuggestedFix } from '~/api/types';
import { humanise } from '~/model/status';
import { Section } from '~/ui/Page';

/** Proposals, best first. Choosing one fills the editor; it applies nothing by itself. */
export function Fixes({ fixes, chosen, onChoose, editable }: { fixes: SuggestedFix[]; chosen: SuggestedFix | undefined; onChoose: (fix: SuggestedFix) => void; editable: boolean }) {
  if (fixes.length === 0) return null;
  return (
    <Section title="What may mend it" aside={editable ? 'Choosing one fills the editor below.' : undefined}>
      <ul aria-label="Suggested fixes" className="flex flex-col gap-2">
        {fixes.map((fix) => <li key={fix.kind + fix.title}>{fix.edits && editable ? <Choice fix={fix} chosen={chosen?.title === fix.title} onChoose={onChoose} /> : <Advice fix={fix} />}</li>)}
      </ul>
    </Section>
  );
}

function Choice({ fix, chosen, onChoose }: { fix: SuggestedFix; chosen: boolean; onChoose: (fix: SuggestedFix) => void }) {
  return (
    <button
      type="button" aria-pressed={chosen} data-testid={`fix-${fix.kind}`} data-list-item onClick={() => onChoose(fix)}
      className={`flex w-full flex-col items-start rounded-xl border px-4 py-3 text-left ${chosen ? 'border-ink bg-surface ring-1 ring-ink' : 'border-edge bg-surface hover:bg-sunken'}`}
    >
      <Words fix={fix} note={chosen ? 'in the editor' : undefined} />
    </button>
  );
}

function Advice({ fix }: { fix: SuggestedFix }) {
  return <div className="rounded-xl border border-dashed border-edge px-4 py-3"><Words fix={fix} note={fix.kind === 'guard' ? 'a change of the workflow' : undefined} /></div>;
}

function Words({ fix, note }: { fix: SuggestedFix; note: string | undefined }) {
  return (
    <>
      <span className="flex w-full flex-wrap justify-between gap-x-3">
        <strong className="font-semibold">{fix.title}</strong>
        <span className="text-[0.84rem] text-ink-2">{note ?? humanise(fix.kind)}</span>
      </span>
      <span className="text-[0.92rem] text-ink-2">{fix.detail}</span>
    </>
  );
}
