import type { ExecutionView, Json, JsonObject, StepView } from '~/api/types';
import { isObject } from './graph';
import { pairs } from './pairs';

export type GuardState = 'met' | 'not_met' | 'not_reached';

export interface GuardLine {
  phase: string;
  check: string;
  message: string;
  code: string | undefined;
  state: GuardState;
  /** What the check read, where it failed. */
  actual: Json | undefined;
}

/**
 * The checks of a step with how they came out in its present attempt. They are checked in order, before and after: of a step
 * that committed all were met, of one that failed those before the failed one.
 */
export function guardLines(spec: JsonObject, step: StepView): GuardLine[] {
  const declared = specStep(spec, step.step);
  const guards = declared && isObject(declared.guards) ? declared.guards : {};
  const all = Object.entries(guards).flatMap(([phase, checks]) =>
    (Array.isArray(checks) ? checks.filter(isObject) : []).map((guard) => ({ phase, check: text(guard.check) ?? words(guard), message: text(guard.message) ?? '', code: text(guard.code) })));
  const failed = step.failures.find(({ attempt }) => attempt === step.attempt) ?? (step.status === 'failed' || step.status === 'rolled_back' ? step.failures.at(-1) : undefined);
  const failedIndex = failed ? all.findIndex(({ check, code }) => check === failed.expected || (failed.expected === undefined && code === failed.code)) : -1;
  return all.map((guard, index) => ({
    ...guard,
    state: index === failedIndex ? 'not_met' : step.status === 'committed' || (failedIndex >= 0 && index < failedIndex) ? 'met' : 'not_reached',
    actual: index === failedIndex ? failed!.actual : undefined,
  }));
}

/** A guard without a written check, such as `grounded` or `uses`: its own words. */
function words(guard: JsonObject): string {
  return Object.entries(guard).filter(([name]) => name !== 'message' && name !== 'code').map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(', ');
}

export function specStep(spec: JsonObject, step: string): JsonObject | undefined {
  const id = step.replace(/-\d+$/, '');
  return Array.isArray(spec.steps) ? spec.steps.filter(isObject).find((one) => one.id === step || one.id === id) : undefined;
}

export interface PromptView {
  agent: string;
  prompt: string;
  model: string | undefined;
  temperature: number | undefined;
  constraints: string[];
  tools: string[];
}

/** What the agent of a step is told, as the saved version says it. */
export function promptOf(spec: JsonObject, step: StepView): PromptView | undefined {
  const name = text(specStep(spec, step.step)?.agent);
  const agent = name !== undefined && isObject(spec.agents) ? spec.agents[name] : undefined;
  if (name === undefined || !isObject(agent)) return undefined;
  const strings = (value: Json | undefined) => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []);
  return {
    agent: name, prompt: text(agent.prompt) ?? text(agent.goal) ?? '', model: text(agent.model), temperature: typeof agent.temperature === 'number' ? agent.temperature : undefined,
    constraints: strings(agent.constraints), tools: strings(agent.tools),
  };
}

/** What a committed checkpoint costs, in credits. */
export const checkpointCredits = 5;

export interface Use {
  inputTokens: number;
  outputTokens: number;
  checkpoints: number;
}

/** What a run has used so far, as far as its visits are at hand. */
export function useOf(steps: StepView[]): Use {
  return steps.reduce<Use>((sum, step) => ({
    inputTokens: sum.inputTokens + (step.tokens?.input ?? 0),
    outputTokens: sum.outputTokens + (step.tokens?.output ?? 0),
    checkpoints: sum.checkpoints + (step.checkpoint !== undefined && step.status === 'committed' && !step.inherited ? (step.items ? Math.ceil(step.items.total / 100) : 1) : 0),
  }), { inputTokens: 0, outputTokens: 0, checkpoints: 0 });
}

export interface Comparison {
  step: string;
  left: StepView | undefined;
  right: StepView | undefined;
  /** What is not the same: any of input, output, status; and `missing` where only one run has the step. */
  differs: ('status' | 'input' | 'output' | 'missing')[];
}

/** Two runs step by step: the newest visit of each, in the order of the left one. */
export function compareRuns(left: ExecutionView, right: ExecutionView): Comparison[] {
  return pairs(left.steps, right.steps).map(([step, one, other]) => {
    if (!one || !other) return { step, left: one, right: other, differs: ['missing'] };
    const differs: Comparison['differs'] = [];
    if (one.status !== other.status) differs.push('status');
    if (!same(one.input, other.input)) differs.push('input');
    if (!same(one.output, other.output)) differs.push('output');
    return { step, left: one, right: other, differs };
  });
}

const same = (left: Json | undefined, right: Json | undefined) => stable(left) === stable(right);

/** Equal values have equal texts, whatever the order of their members. */
function stable(value: Json | undefined): string {
  return JSON.stringify(value, (_, inner: Json) => (isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1))) : inner)) ?? '';
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
