import { useState, type ChangeEvent } from 'react';
import { count } from '~/model/format';
import { buttonClass } from '~/ui/Button';
import { Editor } from '~/ui/editor';
import { Section } from '~/ui/Page';
import { ErrorNote } from '~/ui/states';
import { CopyButton } from '~/ui/Value';
import { Button } from '~/ui/Button';
import { Problems } from '../workflows/Problems';
import { starter } from '../workflows/starter';
import type { Findings } from '../workflows/useFindings';

const commands: [string, string][] = [
  ['CrewAI', 'omium export-crew crew.py:crew > workflow.json'], ['LangGraph', 'omium export-langgraph graph.py:graph > workflow.json'],
  ['AutoGen', 'omium export-autogen team.py:team > workflow.json'], ['Sematic', 'omium export-sematic pipeline.py:pipeline > workflow.json'],
];

/** A file, a text, or what an exporter printed. */
export function ImportStep({ text, found, onText }: { text: string; found: Findings; onText: (text: string) => void }) {
  const [goTo, setGoTo] = useState<{ offset: number }>();
  const read = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    if (file) onText(await file.text());
    event.target.value = '';
  };
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-8 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <div className="flex flex-col gap-3">
        <div className="flex flex-wrap items-center gap-2">
          <label className={`${buttonClass('plain')} cursor-pointer focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-focus`}>Choose a file<input type="file" accept=".json,.yaml,.yml" className="sr-only" onChange={(event) => void read(event)} data-testid="setup-file" /></label>
          {text === '' && <Button onClick={() => onText(starter)} data-testid="setup-example">Begin with an example</Button>}
          <span className="text-ink-2">or paste it below.</span>
        </div>
        <Editor label="Workflow as YAML or JSON" language="yaml" testId="spec-editor" hint="omium: v0" value={text} onChange={onText} marks={found.marks} {...(goTo ? { goTo } : {})} />
        {found.error !== null && <ErrorNote error={found.error} />}
        <p role="status" className="text-[0.93rem] text-ink-2">{text.trim() === '' ? 'To go on, choose a file, paste a workflow, or begin with the example.' : found.checking ? 'Checking …' : found.problems.length === 0 ? <span className="font-semibold text-good">Nothing to mend.</span> : `${count(found.problems.length, 'finding')}${found.hasErrors ? '; errors must be mended before you can go on.' : ', none of which keeps you from going on.'}`}</p>
        {found.problems.length > 0 && <Problems problems={found.problems} lines={found.lines} onGo={(index) => setGoTo({ offset: found.offsets[index]! })} />}
      </div>
      <Section title="From your framework">
        <p className="text-ink-2">Your code stays where it is. One command writes down what it would do; import the file here.</p>
        <ul className="flex flex-col gap-3">
          {commands.map(([framework, command]) => (
            <li key={framework} className="flex flex-col gap-1"><span className="font-semibold">{framework}</span>
              <span className="flex items-center gap-2 rounded-[10px] bg-sunken p-2"><code className="min-w-0 flex-1 font-mono text-[0.84rem] break-all">{command}</code><CopyButton text={command} what={`the command for ${framework}`} /></span>
            </li>
          ))}
        </ul>
      </Section>
    </div>
  );
}
