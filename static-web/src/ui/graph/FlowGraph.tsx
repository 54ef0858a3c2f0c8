import { Background, Controls, Handle, MarkerType, Position, ReactFlow, type Edge, type Node, type NodeProps } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import './graph.css';
import { useEffect, useState } from 'react';
import type { GraphNode, GraphView } from '~/api/types';
import { edgeLabel, graphInWords, markWords, type GraphMark } from '~/model/graph';
import { itemsNote } from '~/model/items';
import { stepLook } from '~/model/status';
import { useTheme } from '~/layout/theme';
import { Glyph } from '../Glyph';
import { useMedia } from '../media';
import { ErrorNote, Loading } from '../states';
import { toneBorder } from '../tone';
import { layOut, nodeHeight, nodeWidth, type Layout } from './layout';
import { RoutedEdge } from './RoutedEdge';

type StepNode = Node<{ node: GraphNode; down: boolean; planned: boolean; culprit: boolean; chosen: boolean; mark: GraphMark | undefined }, 'step'>;

const markStyle: Record<GraphMark, string> = {
  root: 'border-2 border-bad bg-bad-wash', stale: 'border-2 border-dashed border-bad', affected: 'border-2 border-dashed border-wait', undone: 'border-2 border-dashed border-wait bg-wait-wash', orphan: 'border-2 border-bad bg-bad-wash',
};

function StepCard({ data: { node, down, planned, culprit, chosen, mark } }: NodeProps<StepNode>) {
  const look = stepLook(node.status);
  const border = mark ? markStyle[mark] : culprit ? 'border-bad border-2' : planned ? 'border-edge' : toneBorder[look.tone];
  return (
    <div style={{ width: nodeWidth, height: nodeHeight }} className={`flex flex-col justify-center gap-0.5 rounded-xl border px-3 ${mark === 'root' || mark === 'undone' || mark === 'orphan' ? '' : 'bg-surface'} ${border} ${chosen ? 'ring-2 ring-focus ring-offset-2 ring-offset-canvas' : ''}`}>
      <Handle type="target" position={down ? Position.Top : Position.Left} isConnectable={false} />
      <span className="flex items-center gap-2 font-semibold">
        {!planned && <Glyph look={look} size={16} />}
        <span className="truncate">{node.step}</span>
      </span>
      <span className="truncate text-[0.8rem] text-ink-2">{node.actor && node.actor !== node.step ? node.actor : node.type.replace('_', ' ')}{node.visit > 1 ? `, visit ${node.visit}` : ''}</span>
      <span className="truncate text-[0.78rem] text-ink-3">
        {mark ? markWords[mark] : node.items && !planned ? itemsNote(node.items) : [node.checkpoint && (planned || node.status === 'committed') && `◆ ${node.checkpoint}`, node.external_effect && 'reaches outside'].filter(Boolean).join('  ·  ')}
      </span>
      <Handle type="source" position={down ? Position.Bottom : Position.Right} isConnectable={false} />
    </div>
  );
}

const nodeTypes = { step: StepCard };
const edgeTypes = { routed: RoutedEdge };

interface FlowGraphProps {
  graph: GraphView;
  /** A spec that has not run: no state is drawn. */
  planned?: boolean;
  culprit?: string;
  /** Steps to point out, and why. */
  marks?: ReadonlyMap<string, GraphMark>;
  chosen?: string | undefined;
  onStep?: (step: string) => void;
}

export default function FlowGraph({ graph, planned = false, culprit, marks, chosen, onStep }: FlowGraphProps) {
  const [laidOut, setLaidOut] = useState<Layout & { down: boolean }>();
  const [error, setError] = useState<unknown>();
  const { dark } = useTheme();
  const down = useMedia('(max-width: 700px)');
  const shape = JSON.stringify([graph.nodes.map(({ step }) => step), graph.edges.map(({ from, to }) => [from, to])]);

  useEffect(() => {
    let current = true;
    layOut(graph, down ? 'DOWN' : 'RIGHT').then((found) => current && setLaidOut({ ...found, down }), (caught: unknown) => current && setError(caught));
    return () => { current = false; };
    // Only another shape moves the nodes; another state repaints them where they are.
  }, [shape, down]);

  if (error !== undefined) return <ErrorNote error={error} />;
  if (!laidOut) return <Loading label="Laying out the graph" />;
  const nodes: StepNode[] = graph.nodes.map((node) => ({
    id: node.step, type: 'step', position: laidOut.positions[node.step] ?? { x: 0, y: 0 }, data: { node, down: laidOut.down, planned, culprit: culprit === node.step, chosen: chosen === node.step, mark: marks?.get(node.step) },
    ariaLabel: `${node.step}, ${planned ? node.type : stepLook(node.status).label}${marks?.has(node.step) ? `, ${markWords[marks.get(node.step)!]}` : ''}`,
  }));
  return (
    <div className="card max-h-[64vh] overflow-hidden" style={{ height: Math.max(240, laidOut.height + 120) }}>
      {/* Laid out the other way it is another picture, fitted anew. */}
      <ReactFlow
        key={String(laidOut.down)}
        nodes={nodes} edges={edges(graph, laidOut)} nodeTypes={nodeTypes} edgeTypes={edgeTypes} fitView fitViewOptions={{ padding: { x: '32px', top: '24px', bottom: '72px' }, maxZoom: 1.1 }} minZoom={0.15} colorMode={dark ? 'dark' : 'light'}
        nodesDraggable={false} nodesConnectable={false} edgesFocusable={false} zoomOnScroll={false} preventScrolling={false} onNodeClick={(_, node) => onStep?.(node.id)}
        onKeyDown={(event) => {
          const id = event.key === 'Enter' || event.key === ' ' ? (event.target as HTMLElement).dataset.id : undefined;
          if (id) onStep?.(id);
        }}
      >
        <Background color="var(--line)" gap={22} />
        <Controls showInteractive={false} orientation="horizontal" />
      </ReactFlow>
      <ul className="sr-only">{graphInWords(graph).map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>
    </div>
  );
}

function edges(graph: GraphView, laidOut: Layout): Edge[] {
  return graph.edges.map((edge, index) => {
    const colour = edge.taken === true ? 'var(--ink-2)' : 'var(--edge)';
    return {
      id: `e${index}`, type: 'routed', data: { points: laidOut.routes[index] ?? [] }, source: edge.from, target: edge.to, label: edgeLabel(edge), markerEnd: { type: MarkerType.ArrowClosed, color: colour },
      style: { stroke: colour, strokeWidth: edge.taken === true ? 1.8 : 1.3, strokeDasharray: edge.taken === false ? '4 4' : undefined },
      labelStyle: { fill: 'var(--ink-2)', fontSize: 11 }, labelBgStyle: { fill: 'var(--canvas)' },
    };
  });
}
