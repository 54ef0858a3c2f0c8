import type { ExecutionView, GraphEdge, GraphNode, GraphView, Json, JsonObject, StepType } from '~/api/types';
import { groupSteps } from './trace';

/** The graph of a saved spec: the same shape as a run's, with nothing settled yet. */
export function graphOfSpec(spec: JsonObject): GraphView {
  const steps = list(spec.steps);
  const nodes = steps.map((step): GraphNode => {
    const node: GraphNode = {
      step: text(step.id) ?? '?',
      type: (text(step.type) ?? 'agent_task') as StepType,
      status: 'scheduled',
      visit: 1,
      external_effect: isExternal(step.effect),
    };
    const actor = text(step.agent) ?? text(step.tool) ?? text(step.worker) ?? text(step.workflow);
    if (actor) node.actor = actor;
    const checkpoint = checkpointOf(step);
    if (checkpoint) node.checkpoint = checkpoint;
    return node;
  });
  const short = steps.flatMap((step) =>
    strings(step.needs).map((from): GraphEdge => ({ from, to: text(step.id) ?? '?', on: 'success' })));
  const long = list(spec.edges).map((edge): GraphEdge => {
    const made: GraphEdge = { from: text(edge.from) ?? '?', to: text(edge.to) ?? '?', on: (text(edge.on) ?? 'success') as GraphEdge['on'] };
    const when = text(edge.when);
    if (when) made.when = when;
    if (typeof edge.max_visits === 'number') made.max_visits = edge.max_visits;
    return made;
  });
  return { nodes, edges: [...short, ...long] };
}

function isExternal(effect: Json | undefined): boolean {
  const kind = isObject(effect) ? text(effect.kind) : undefined;
  return kind !== undefined && kind !== 'none';
}

function checkpointOf(step: JsonObject): string | undefined {
  if (typeof step.checkpoint === 'string') return step.checkpoint;
  return step.checkpoint === false ? undefined : text(step.id);
}

/** A label for an edge; plain success needs none. */
export function edgeLabel(edge: GraphEdge): string | undefined {
  const parts: string[] = [];
  if (edge.on !== 'success') parts.push(`on ${edge.on}`);
  if (edge.when) parts.push(`when ${edge.when}`);
  if (edge.max_visits) parts.push(`at most ${edge.max_visits}×`);
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** The graph in words, for those who do not see it. */
export function graphInWords(graph: GraphView): string[] {
  return graph.nodes.map((node) => {
    const incoming = graph.edges.filter((edge) => edge.to === node.step).map((edge) => edge.from);
    const needs = incoming.length === 0 ? 'starts the workflow' : `comes after ${incoming.join(' and ')}`;
    return `${node.step} (${node.status.replace('_', ' ')}) ${needs}.`;
  });
}

export function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function list(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function strings(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The graph as it stood in an earlier view: steps that had not been scheduled yet are still ahead, and no edge among them was taken. */
export function graphAt(graph: GraphView, view: ExecutionView): GraphView {
  const groups = new Map(groupSteps(view.steps).map((group) => [group.step, group.latest]));
  const nodes = graph.nodes.map((node): GraphNode => {
    const step = groups.get(node.step);
    const { checkpoint: _, items: __, ...bare } = node;
    if (!step) return { ...bare, status: 'scheduled', visit: 1 };
    return { ...bare, status: step.status, visit: step.visit, ...(step.checkpoint ? { checkpoint: step.checkpoint } : {}), ...(step.items ? { items: step.items } : {}) };
  });
  const edges = graph.edges.map((edge): GraphEdge => {
    if (groups.has(edge.to)) return edge;
    const { taken: _, ...bare } = edge;
    return bare;
  });
  return { nodes, edges };
}

export type GraphMark = 'root' | 'stale' | 'affected' | 'undone' | 'orphan';

/**
 * What a wrong output has touched: the visits made from it, and those made from them, along the recorded reads. Without a
 * root cause nothing is marked.
 */
export function affectedBy(graph: GraphView, root = graph.root_cause): Map<string, GraphMark> {
  const marks = new Map<string, GraphMark>();
  if (!root || !graph.data) return marks;
  const next = new Map<string, string[]>();
  for (const { from, to } of graph.data) next.set(from.step, [...(next.get(from.step) ?? []), to.step]);
  const open = [root.step];
  while (open.length > 0) {
    for (const step of next.get(open.pop()!) ?? []) {
      if (step === root.step || marks.has(step)) continue;
      marks.set(step, 'affected');
      open.push(step);
    }
  }
  marks.set(root.step, 'root');
  return marks;
}

/** Where each marked step stands, in words for the legend and for a screen reader. */
export const markWords: Record<GraphMark, string> = {
  root: 'it began here',
  stale: 'read a value that is out of date',
  affected: 'made from it',
  undone: 'would be undone',
  orphan: 'would be left without its source',
};

/**
 * At most `most` steps of a graph: those that matter, and those nearest to one of them along the edges. A graph that is
 * small enough stays whole.
 */
export function around(graph: GraphView, focus: string | undefined, most: number, wanted: ReadonlySet<string> = new Set()): GraphView {
  if (graph.nodes.length <= most) return graph;
  const near = new Map<string, string[]>();
  const join = (one: string, other: string) => near.set(one, [...(near.get(one) ?? []), other]);
  for (const { from, to } of graph.edges) {
    join(from, to);
    join(to, from);
  }
  const kept = new Set<string>([focus ?? graph.nodes[0]!.step, ...wanted].slice(0, most));
  const open = [...kept];
  for (let next = open.shift(); next !== undefined && kept.size < most; next = open.shift()) {
    for (const step of near.get(next) ?? []) {
      if (kept.has(step) || kept.size >= most) continue;
      kept.add(step);
      open.push(step);
    }
  }
  return { ...graph, nodes: graph.nodes.filter(({ step }) => kept.has(step)), edges: graph.edges.filter(({ from, to }) => kept.has(from) && kept.has(to)) };
}
