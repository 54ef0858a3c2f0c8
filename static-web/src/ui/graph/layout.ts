import ELK, { type ElkNode } from 'elkjs/lib/elk-api.js';
import workerAddress from 'elkjs/lib/elk-worker.min.js?url';
import type { GraphView } from '~/api/types';

export const nodeWidth = 208;
export const nodeHeight = 76;

export interface Point {
  x: number;
  y: number;
}

export interface Layout {
  positions: Record<string, Point>;
  /** The way of each edge, around the nodes, in the order of the graph's edges. */
  routes: Point[][];
  height: number;
}

let engine: InstanceType<typeof ELK> | undefined;

/** Layered layout, in a worker, so that a graph of a thousand steps does not hold up the page. */
export async function layOut(graph: GraphView, direction: 'RIGHT' | 'DOWN'): Promise<Layout> {
  engine ??= new ELK({ workerUrl: workerAddress });
  const laidOut: ElkNode = await engine.layout({
    id: 'root',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': direction,
      'elk.edgeRouting': 'ORTHOGONAL',
      'elk.spacing.edgeNode': '20',
      'elk.spacing.nodeNode': '28',
      'elk.layered.spacing.nodeNodeBetweenLayers': '64',
      'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
    },
    children: graph.nodes.map((node) => ({ id: node.step, width: nodeWidth, height: nodeHeight })),
    edges: graph.edges.map((edge, index) => ({ id: `e${index}`, sources: [edge.from], targets: [edge.to] })),
  });
  return {
    positions: Object.fromEntries((laidOut.children ?? []).map((child: ElkNode) => [child.id, { x: child.x ?? 0, y: child.y ?? 0 }])),
    routes: (laidOut.edges ?? []).map((edge) => (edge.sections ?? []).flatMap((section) => [section.startPoint, ...(section.bendPoints ?? []), section.endPoint])),
    height: laidOut.height ?? 0,
  };
}
