import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { JsonObject } from '~/api/types';
import { readSpecText } from '~/model/specText';
import { specYaml } from '~/model/specYaml';
import { Button } from '~/ui/Button';
import { Page } from '~/ui/Page';
import { useFindings } from '../workflows/useFindings';
import { AgentsStep } from './AgentsStep';
import { DeployStep } from './DeployStep';
import { ImportStep } from './ImportStep';
import { PolicyStep } from './PolicyStep';
import { SuggestionsStep } from './SuggestionsStep';
import { TestStep } from './TestStep';

const titles = ['Import', 'Agents found', 'Checkpoints and guards', 'Recovery policy', 'Test run', 'Deploy'];

/** From a framework's workflow to a safe one that runs, one decision at a time. */
export function SetupPage() {
  const [at, setAt] = useState(0);
  const [text, setText] = useState('');
  const [run, setRun] = useState<string>();
  const found = useFindings(text);
  const spec = useMemo(() => readSpecText(text), [text]);
  const ready = spec !== undefined && text.trim() !== '' && found.current && !found.checking && !found.hasErrors;
  const write = (next: JsonObject) => setText(specYaml(next));
  // What was decided can be looked at again; what lies ahead needs a workflow without errors.
  const mayGoTo = (index: number) => index <= at || (ready && index <= (run === undefined ? 4 : 5));
  return (
    <Page
      wide title="Set up a workflow" lead="Import it, see what is in it, make it safe, try it, use it."
      above={<nav aria-label="Where you are" className="text-[0.9rem] text-ink-2"><Link to="/workflows" className="underline underline-offset-2">Workflows</Link></nav>}
    >
      <ol aria-label="Steps of the set-up" className="flex flex-wrap gap-x-1 gap-y-1 border-b border-line pb-4">
        {titles.map((title, index) => (
          <li key={title}>
            <button type="button" disabled={!mayGoTo(index)} aria-current={index === at ? 'step' : undefined} onClick={() => setAt(index)} className="flex min-h-9 items-center gap-2 rounded-[10px] px-3 font-semibold text-ink-2 hover:bg-sunken disabled:text-ink-3 aria-[current]:bg-sunken aria-[current]:text-ink">
              <span aria-hidden="true" className={`grid size-6 place-items-center rounded-full border text-[0.82rem] ${index < at ? 'border-good bg-good-wash text-good' : index === at ? 'border-ink text-ink' : 'border-edge'}`}>{index < at ? '✓' : index + 1}</span>
              {title}
            </button>
          </li>
        ))}
      </ol>
      <section aria-label={titles[at]} data-testid={`setup-${at + 1}`} className="flex flex-col gap-6">
        {at === 0 && <ImportStep text={text} found={found} onText={setText} />}
        {at === 1 && spec && <AgentsStep spec={spec} />}
        {at === 2 && spec && <SuggestionsStep spec={spec} onSpec={write} />}
        {at === 3 && spec && <PolicyStep spec={spec} found={found} onSpec={write} />}
        {at === 4 && spec && <TestStep spec={spec} text={text} run={run} onRun={setRun} />}
        {at === 5 && spec && run && <DeployStep name={String(spec.name)} />}
      </section>
      {at < 5 && (
        <div className="flex gap-2">
          {at > 0 && <Button onClick={() => setAt(at - 1)}>Back</Button>}
          <Button weight={at === 4 && run === undefined ? 'plain' : 'primary'} disabled={!mayGoTo(at + 1)} onClick={() => setAt(at + 1)} data-testid="setup-next">{at === 4 ? 'Use it' : 'Go on'}</Button>
        </div>
      )}
    </Page>
  );
}
