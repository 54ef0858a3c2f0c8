import { useQuery } from '@tanstack/react-query';
import { graphQuery } from '~/api/queries';
import type { ExecutionView } from '~/api/types';
import { graphAt } from '~/model/graph';
import { groupSteps } from '~/model/trace';
import { Graph } from '~/ui/graph';
import { ErrorNote, Loading } from '~/ui/states';
import { useState } from 'react';
import { stepLook } from '~/model/status';
import { StatusPill } from '~/ui/Glyph';
import { Fields } from '~/ui/Value';

export function GraphTab({ view, travelled }: { view: ExecutionView; travelled: boolean }) {
  const graph = useQuery(graphQuery(view.id));
  const [chosen, setChosen] = useState<string>();
  if (graph.isError && !graph.data) return <ErrorNote error={graph.error} retry={() => void graph.refetch()} />;
  if (!graph.data) return <Loading label="Loading the graph" />;
  const step = groupSteps(view.steps).find((group) => group.step === chosen)?.latest;
  return (
    <div className="flex flex-col gap-4">
      <Graph graph={travelled ? graphAt(graph.data, view) : graph.data} onStep={setChosen} {...(view.failure ? { culprit: view.failure.step } : {})} />
      {step
        ? (
          <div className="flex flex-col gap-2 rounded-xl bg-sunken px-4 py-3">
            <span className="flex items-center gap-3"><strong className="font-semibold">{step.step}</strong><StatusPill look={stepLook(step.status)} /></span>
            {step.reads.length > 0 && <span className="text-[0.9rem] text-ink-2">needs {step.reads.map((read) => read.step).join(', ')}</span>}
            <Fields value={step.output} limit={12} />
          </div>
        )
        : <p className="text-[0.9rem] text-ink-2">Choose a step to see what it gave.</p>}
    </div>
  );
}
