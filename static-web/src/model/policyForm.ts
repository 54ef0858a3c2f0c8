import type { Json, JsonObject } from '~/api/types';
import { isObject } from './graph';

export const triggers = [
  ['hallucination_detected', 'A guard finds a made-up answer'], ['policy_violation', 'A rule of the company is broken'], ['high_value_operation', 'An effect is worth more than the limit'],
] as const;
export const actions = [
  ['rollback_to_last_checkpoint', 'Go back to the last checkpoint'], ['pause_and_notify', 'Pause and tell people'], ['await_human_review', 'Wait for a person'],
] as const;
export const edits = [['prompt', 'the prompt'], ['constraints', 'the constraints'], ['tool_selection', 'which tools an agent may use']] as const;

export interface PolicyForm {
  triggers: string[];
  actions: string[];
  allowedEdits: string[];
  retries: string;
  backoff: string;
}

/** The policy as the form can show it; undefined when it is written in the full form, with rules, which only the text shows. */
export function policyForm(policy: Json | undefined): PolicyForm | undefined {
  if (policy === undefined || policy === null) return { triggers: [], actions: [], allowedEdits: [], retries: '', backoff: '' };
  if (!isObject(policy) || policy.rules !== undefined) return undefined;
  const names = (value: Json | undefined) => (Array.isArray(value) ? value.filter(isObject).flatMap((one) => Object.entries(one).filter(([, on]) => on === true).map(([name]) => name)) : []);
  const list = Array.isArray(policy.recovery_actions) ? policy.recovery_actions.filter(isObject) : [];
  const allowed = list.map((one) => one.allowed_edits).find(Array.isArray) ?? [];
  const retry = isObject(policy.retry_policy) ? policy.retry_policy : {};
  return {
    triggers: names(policy.rollback_triggers), actions: names(policy.recovery_actions), allowedEdits: allowed.filter((one) => typeof one === 'string'),
    retries: typeof retry.max_retries === 'number' ? String(retry.max_retries) : '', backoff: typeof retry.backoff === 'string' ? retry.backoff : '',
  };
}

/** The policy that a form says, in the short form of the documents; nothing chosen is no policy. */
export function policyOf(form: PolicyForm): JsonObject | undefined {
  const known = (chosen: string[], all: readonly (readonly [string, string])[]) => all.map(([name]) => name).filter((name) => chosen.includes(name));
  const policy: JsonObject = {};
  const chosen = known(form.triggers, triggers);
  if (chosen.length > 0) policy.rollback_triggers = chosen.map((name) => ({ [name]: true }));
  const does: JsonObject[] = known(form.actions, actions).map((name) => ({ [name]: true }));
  if (form.allowedEdits.length > 0) does.push({ allowed_edits: known(form.allowedEdits, edits) });
  if (does.length > 0) policy.recovery_actions = does;
  if (form.retries !== '') policy.retry_policy = { max_retries: Number(form.retries), backoff: form.backoff || 'exponential(1s, 10s)', condition: 'same_failure_not_detected_twice' };
  return Object.keys(policy).length === 0 ? undefined : policy;
}
