import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { account } from '~/api/account';
import { policyQuery, policyVersionsQuery } from '~/api/accountQueries';
import { ApiError } from '~/api/errors';
import type { DryRunView, Json, PolicyView } from '~/api/generated';
import { lineOf, locate } from '~/model/pointer';
import { parsePolicy, policyText, starterPolicy } from '~/model/policy';
import { humanise } from '~/model/status';
import { Button, ButtonLink } from '~/ui/Button';
import { Editor } from '~/ui/editor';
import { Filter } from '~/ui/list';
import { MayButton } from '~/ui/may';
import { Section } from '~/ui/Page';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { Ago } from '~/ui/time';
import { Problems } from '../workflows/Problems';

export function PolicyTab() {
  const policy = useQuery(policyQuery);
  const versions = useQuery(policyVersionsQuery);
  const [shown, setShown] = useState<number>();
  if (policy.isError && !policy.data) return <ErrorNote error={policy.error} retry={() => void policy.refetch()} />;
  if (!policy.data) return <Loading lines={6} label="Loading the policy" />;
  const older = shown === undefined ? undefined : versions.data?.find(({ version }) => version === shown);
  return (
    <Section title="Recovery policy of this tenant" aside={policy.data.at && <>version {policy.data.version}, <Ago at={policy.data.at} />{policy.data.by && ` by ${policy.data.by}`}</>}>
      <p className="measure text-ink-2">What happens when something fails, for every workflow that has no policy of its own. Try it over the failures of the past before it counts.</p>
      {versions.data && versions.data.length > 1 && (
        <Filter
          label="Version" value={String(shown ?? policy.data.version)} onChange={(next) => setShown(Number(next) === policy.data.version ? undefined : Number(next))}
          options={versions.data.toReversed().map(({ version }) => ({ value: String(version), label: version === policy.data.version ? `${version}, in force` : String(version) }))}
        />
      )}
      <PolicyEditor key={`${policy.data.version}-${shown ?? ''}`} held={policy.data} from={older ?? policy.data} />
    </Section>
  );
}

function PolicyEditor({ held, from }: { held: PolicyView; from: PolicyView }) {
  const before = policyText(held.policy);
  const [text, setText] = useState(() => policyText(from.policy));
  const client = useQueryClient();
  const parsed = useMemo(() => parsePolicy(text), [text]);
  const save = useMutation({
    mutationFn: () => account.putPolicy(text),
    onSuccess: () => client.invalidateQueries({ queryKey: ['policy'] }),
  });
  const trial = useMutation({ mutationFn: () => account.dryRun(parsed.ok ? parsed.value : null, {}) });
  const refused = [save.error, trial.error].find((error) => error instanceof ApiError && error.errors.length > 0) as ApiError | undefined;
  const found = refused?.errors.map((problem) => ({ ...problem, pointer: problem.pointer.replace(/^\/policy/, '') })) ?? (save.data?.warnings ?? []);
  const places = useMemo(() => locate(text, found.map(({ pointer }) => pointer)), [text, found]);
  const marks = found.map((problem, index) => ({ ...places[index]!, severity: problem.severity, message: `${problem.message} ${problem.mend}` }));
  const changed = text !== before;
  const empty = text.trim() === '';
  return (
    <div className="flex flex-col gap-4">
      {held.version === 0 && <p className="text-ink-2">None is in force yet. A workflow without a policy of its own tries again what may pass by itself, three times; anything else fails the run, from where a person can retry it.</p>}
      <Editor label="Recovery policy as YAML" language="yaml" testId="policy-editor" hint="rollback_triggers: …" value={text} onChange={setText} marks={marks} {...(changed && before !== '' ? { original: before } : {})} />
      <div className="flex flex-wrap gap-2">
        {empty && <Button weight="primary" onClick={() => setText(starterPolicy)}>Begin with an example</Button>}
        <Button weight={empty ? 'plain' : 'primary'} busy={trial.isPending} disabled={empty || !parsed.ok} onClick={() => trial.mutate()} data-testid="policy-dry-run">Try it over past failures</Button>
        <MayButton scope="write" busy={save.isPending} disabled={empty || !changed || !parsed.ok} onClick={() => save.mutate()} data-testid="policy-save">Put it in force</MayButton>
        {changed && before !== '' && <Button weight="quiet" onClick={() => setText(before)}>Undo all edits</Button>}
      </div>
      {!parsed.ok && !empty && <p className="text-bad">{parsed.message}</p>}
      {found.length > 0 && <Problems problems={found} lines={places.map((place) => lineOf(text, place.from))} />}
      {save.isError && refused !== save.error && <ErrorNote error={save.error} />}
      {trial.isError && refused !== trial.error && <ErrorNote error={trial.error} />}
      <div role="status">{save.isSuccess && !changed && <p className="rounded-xl bg-good-wash px-4 py-3 font-semibold text-good">In force for what fails from now on.</p>}</div>
      {trial.data && <Trial first={trial.data} policy={parsed.ok ? parsed.value : null} />}
    </div>
  );
}

/** What the policy would have done, failure by failure. */
function Trial({ first, policy }: { first: DryRunView; policy: Json }) {
  const [more, setMore] = useState<DryRunView[]>([]);
  const pages = [first, ...more];
  const next = pages.at(-1)!.next_cursor;
  const load = useMutation({ mutationFn: () => account.dryRun(policy, { cursor: next }), onSuccess: (page) => setMore([...more, page]) });
  const items = pages.flatMap((page) => page.items);
  const caught = pages.reduce((sum, page) => sum + page.caught, 0);
  const examined = pages.reduce((sum, page) => sum + page.examined, 0);
  if (examined === 0) return <Empty title="There is no failure to try it on">Once something has failed, this shows what the policy would have done about it.</Empty>;
  return (
    <section aria-label="What it would have done" data-testid="dry-run-result" className="flex flex-col gap-3">
      <h3 className="text-[1.3rem] font-semibold">It would have caught {caught} of {examined}</h3>
      <ul className="card divide-y divide-line">
        {items.map((item) => (
          <li key={item.failure_id} className="flex flex-wrap items-baseline gap-x-5 gap-y-1 px-4 py-2.5">
            <span className={`w-16 font-semibold ${item.caught ? 'text-good' : 'text-ink-3'}`}>{item.caught ? 'caught' : 'passed'}</span>
            <span className="min-w-0 flex-1 basis-56"><strong className="font-semibold">{humanise(item.class)}</strong> at {item.step} <span className="text-[0.87rem] text-ink-2">{item.workflow}</span>
              <span className="block text-[0.87rem] text-ink-2">would {item.would.map(words).join(', ') || 'do nothing'}; was {item.was.map(words).join(', ') || 'nothing'}</span>
            </span>
            <span className="text-[0.87rem] text-ink-2"><Ago at={item.at} /></span>
            <ButtonLink small weight="quiet" to="/failures/$failureId" params={{ failureId: item.failure_id }}>Look</ButtonLink>
          </li>
        ))}
      </ul>
      {load.isError && <ErrorNote error={load.error} />}
      {next && <Button className="self-center" busy={load.isPending} onClick={() => load.mutate()}>Try it on more</Button>}
    </section>
  );
}

const words = (action: string) => humanise(action).toLowerCase();
