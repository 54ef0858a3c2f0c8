import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { graphQuery } from '~/api/queries';
import type { ExecutionView, GraphView, StepView } from '~/api/types';
import { count, preview } from '~/model/format';
import { affectedBy, around, graphAt, type GraphMark } from '~/model/graph';
import { Graph } from '~/ui/graph';
import { ErrorNote, Loading } from '~/ui/states';
import { findVisit } from './chosen';

/** More than this nobody reads, and no layout makes readable. */
const nodesMax = 240;

interface GraphTabProps {
  view: ExecutionView;
  steps: StepView[];
  chosen: string | undefined;
  travelled: boolean;
  onChoose: (step: { step: string; visit: number }) => void;
}

/** The dependency graph: where a failure began, what was made from it, what read a value that is out of date. */
export function GraphTab({ view, steps, chosen, travelled, onChoose }: GraphTabProps) {
  const query = useQuery(graphQuery(view.id));
  const marks = useMemo(() => (query.data && !travelled ? marksOf(query.data, view) : new Map<string, GraphMark>()), [query.data, travelled, view]);
  const focus = findVisit(steps, chosen)?.step ?? view.failure?.step ?? query.data?.root_cause?.step;
  const shown = useMemo(() => (query.data ? around(query.data, focus, nodesMax, new Set(marks.keys())) : undefined), [query.data, focus, marks]);
  if (query.isError && !query.data) return <ErrorNote error={query.error} retry={() => void query.refetch()} />;
  if (!query.data || !shown) return <Loading label="Loading the graph" />;
  const root = query.data.root_cause;
  const left = query.data.nodes.length - shown.nodes.length;
  return (
    <div className="flex flex-col gap-4">
      {root && !travelled && (
        <div className="measure border-l-[3px] border-bad pl-4" data-testid="graph-root-cause">
          <p><span className="eyebrow block">It began at {root.step}</span>{root.explanation}</p>
          {root.trail && root.trail.length > 1 && <p className="text-[0.93rem] text-ink-2">The value went {root.trail.map(({ step, path, value }) => `${step} (${path}: ${preview(value, 40)})`).join(' → ')}.</p>}
          <p className="text-[0.93rem] text-ink-2">{affectedWords(marks)}</p>
        </div>
      )}
      <Graph graph={travelled ? graphAt(shown, view) : shown} marks={marks} chosen={findVisit(steps, chosen)?.step} onStep={(step) => onChoose(findVisit(steps, step) ?? { step, visit: 1 })} {...(view.failure ? { culprit: view.failure.step } : {})} />
      {left > 0 && <p className="text-[0.93rem] text-ink-2">{count(left, 'more step')} are not drawn: this is the neighbourhood of {focus ?? 'the beginning'}. Choose another step in the trace to see its own.</p>}
      {chosen === undefined && <p className="text-[0.9rem] text-ink-2">Choose a step to look into it.</p>}
    </div>
  );
}

/** What a stale read was made from counts as the beginning; the step that read it is marked as what it is. */
function marksOf(graph: GraphView, view: ExecutionView): Map<string, GraphMark> {
  const marks = affectedBy(graph);
  for (const step of view.steps) if (step.failures.at(-1)?.class === 'stale_read' && step.status !== 'committed' && marks.get(step.step) !== 'root') marks.set(step.step, 'stale');
  return marks;
}

function affectedWords(marks: Map<string, GraphMark>): string {
  const affected = [...marks].filter(([, mark]) => mark === 'affected' || mark === 'stale').map(([step]) => step);
  return affected.length === 0 ? 'Nothing that was committed was made from it.' : `Made from it: ${affected.join(', ')}.`;
}
