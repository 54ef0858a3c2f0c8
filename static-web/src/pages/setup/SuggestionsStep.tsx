import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '~/api/client';
import type { SpecSuggestionView } from '~/api/generated';
import type { JsonObject } from '~/api/types';
import { count } from '~/model/format';
import { isObject } from '~/model/graph';
import { humanise } from '~/model/status';
import { Button } from '~/ui/Button';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { JsonBlock } from '~/ui/Value';

/** Each proposal with its reason, taken or left one by one. What builds on another is proposed once that one was taken. */
export function SuggestionsStep({ spec, onSpec }: { spec: JsonObject; onSpec: (spec: JsonObject) => void }) {
  const [declined, setDeclined] = useState<string[]>([]);
  const [taken, setTaken] = useState<string[]>([]);
  const found = useQuery({ queryKey: ['suggest', JSON.stringify(spec)], queryFn: () => api.suggest(spec), staleTime: Infinity });
  const accept = useMutation({
    mutationFn: async (chosen: SpecSuggestionView[]) => ({ chosen, answer: await api.suggest(spec, chosen.map(({ id }) => id).join(',')) }),
    onSuccess: ({ chosen, answer }) => {
      if (!isObject(answer.spec)) return;
      setTaken([...taken, ...chosen.map(({ title }) => title)]);
      onSpec(answer.spec);
    },
  });
  if (found.isError) return <ErrorNote error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Loading lines={6} label="Looking for what would make it safer" />;
  const open = found.data.suggestions.filter(({ id }) => !declined.includes(id));
  return (
    <>
      {taken.length > 0 && <p role="status" className="rounded-xl bg-good-wash px-4 py-3"><span className="font-semibold text-good">{count(taken.length, 'suggestion')} taken:</span> {taken.join('; ')}.</p>}
      {accept.isError && <ErrorNote error={accept.error} />}
      {open.length === 0 && <Empty title={taken.length > 0 || declined.length > 0 ? 'That was all' : 'Nothing to suggest'}>{taken.length > 0 ? 'What you took is in the workflow now.' : 'After every external effect, before every irreversible one and at every handoff, it is as safe as the rules know.'}</Empty>}
      {open.length > 1 && <Button className="self-start" busy={accept.isPending} onClick={() => accept.mutate(open)} data-testid="accept-all">Take all {open.length}</Button>}
      <ul aria-label="Suggestions" className="flex flex-col gap-4">
        {open.map((suggestion) => (
          <li key={suggestion.id} data-testid={`suggestion-${suggestion.kind}`} className="card flex flex-col gap-3 p-5">
            <div className="flex flex-wrap items-baseline justify-between gap-x-4">
              <h2 className="text-[1.15rem] font-semibold">{suggestion.title}</h2>
              <span className="text-[0.87rem] text-ink-2">{humanise(suggestion.kind).toLowerCase()} at <code className="font-mono text-[0.82rem]">{suggestion.pointer}</code></span>
            </div>
            <p className="measure text-ink-2">{suggestion.reason}</p>
            <details><summary className="cursor-pointer text-[0.93rem] font-medium">What it changes</summary><div className="pt-2"><JsonBlock value={suggestion.patch.filter(({ op }) => op !== 'test') as never} label={`Change of ${suggestion.title}`} /></div></details>
            <span className="flex gap-2">
              <Button weight="primary" busy={accept.isPending} onClick={() => accept.mutate([suggestion])} data-testid="accept-suggestion">Take it</Button>
              <Button weight="quiet" onClick={() => setDeclined([...declined, suggestion.id])}>Leave it</Button>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
