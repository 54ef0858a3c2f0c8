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
