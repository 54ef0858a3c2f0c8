import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { api } from '~/api/client';
import { ApiError } from '~/api/errors';
import type { SpecProblem } from '~/api/types';
import { count } from '~/model/format';
import { lineOf, locate } from '~/model/pointer';
import { Button } from '~/ui/Button';
import { Editor } from '~/ui/editor';
import { Page } from '~/ui/Page';
import { ErrorNote } from '~/ui/states';
import { Problems } from './Problems';
import { starter } from './starter';

interface Findings {
  /** The text they are about; once it is edited they may no longer fit. */
  text: string;
  problems: SpecProblem[];
}

export function ImportPage() {
  const [text, setText] = useState('');
  const [findings, setFindings] = useState<Findings>();
  const [goTo, setGoTo] = useState<{ offset: number }>();
  const client = useQueryClient();
  const navigate = useNavigate();
  const check = useMutation({ mutationFn: () => api.validateWorkflow(text), onSuccess: ({ problems }) => setFindings({ text, problems }) });
  const save = useMutation({
    mutationFn: () => api.saveWorkflow(text),
    onSuccess: async (saved) => {
      await client.invalidateQueries({ predicate: ({ queryKey }) => ['workflows', 'workflow', 'health'].includes(String(queryKey[0])) });
      await navigate({ to: '/workflows/$name', params: { name: saved.name } });
    },
    onError: (error) => error instanceof ApiError && error.errors.length > 0 && setFindings({ text, problems: error.errors }),
  });
  const places = useMemo(() => (findings ? locate(findings.text, findings.problems.map(({ pointer }) => pointer)) : []), [findings]);
  const fits = findings?.text === text;
  const marks = useMemo(() => (fits ? findings!.problems.map((problem, index) => ({ ...places[index]!, severity: problem.severity, message: `${problem.message} ${problem.mend}` })) : []), [fits, findings, places]);
  const listed = save.error instanceof ApiError && save.error.errors.length > 0;
  const empty = text.trim() === '';

  return (
    <Page wide title="Import a workflow" lead="Paste it as YAML or JSON. Saving makes a new version; runs that are under way keep theirs." above={<nav aria-label="Where you are" className="text-[0.9rem] text-ink-2"><Link to="/workflows" className="underline underline-offset-2">Workflows</Link></nav>}>
      <div className="grid items-start gap-8 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <div className="flex flex-col gap-3">
          <Editor label="Workflow as YAML or JSON" language="yaml" testId="spec-editor" hint="omium: v0" value={text} onChange={setText} marks={marks} {...(goTo ? { goTo } : {})} />
          <div className="flex flex-wrap gap-2">
            <Button weight="primary" busy={save.isPending} disabled={empty} onClick={() => save.mutate()} data-testid="save-workflow">Save</Button>
            <Button busy={check.isPending} disabled={empty} onClick={() => check.mutate()} data-testid="check-workflow">Check only</Button>
            {empty && <Button weight="quiet" onClick={() => setText(starter)}>Begin with an example</Button>}
          </div>
        </div>
        <div role="status" className="flex flex-col gap-3">
          {check.isError && <ErrorNote error={check.error} />}
          {save.isError && !listed && <ErrorNote error={save.error} />}
          {findings && findings.problems.length === 0 && <p className="rounded-xl bg-good-wash px-4 py-3 font-semibold text-good">Nothing to mend. It can be saved.</p>}
          {findings && findings.problems.length > 0 && (
            <>
              <p className="font-semibold">{count(findings.problems.length, 'finding')}{!fits && <span className="font-normal text-ink-2">, of the text before your last edit. Check again.</span>}</p>
              <Problems problems={findings.problems} lines={places.map((place) => lineOf(findings.text, place.from))} onGo={(index) => setGoTo({ offset: places[index]!.from })} />
            </>
          )}
          {!findings && <p className="text-ink-2">Findings appear here and in the text: what is wrong, where, and how to mend it.</p>}
        </div>
      </div>
    </Page>
  );
}
