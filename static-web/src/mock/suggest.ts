import type { SpecSuggestionView } from '~/api/generated';
import type { JsonObject } from '~/api/types';
import { stepForms } from '~/model/specText';

/** A few of the suggestions that the server makes: a guard for each agent that has none, and a recovery policy. */
export function suggest(spec: JsonObject, accept: string[]): { left: SpecSuggestionView[]; accepted: JsonObject } {
  const accepted = structuredClone(spec);
  const steps = accepted.steps as JsonObject[];
  for (const step of stepForms(spec)) if (accept.includes(`guard-${step.id}`)) steps[step.index]!.guards = { post: [{ check: 'output != null', message: 'It must answer something.' }] };
  if (accept.includes('recovery')) accepted.recovery = { rollback_triggers: [{ hallucination_detected: true }], recovery_actions: [{ rollback_to_last_checkpoint: true }, { await_human_review: true }] };
  const left: SpecSuggestionView[] = stepForms(accepted).filter(({ type, guards }) => type === 'agent_task' && guards.length === 0).map(({ id, index }) => ({
    id: `guard-${id}`, kind: 'guard', pointer: `/steps/${index}`, title: `Check what ${id} answers`, reason: `${id} hands its answer on without any check: a made-up one would reach the next step.`,
    patch: [{ op: 'add', path: `/steps/${index}/guards`, value: { post: [{ check: 'output != null' }] } }],
  }));
  if (accepted.recovery === undefined) left.push({ id: 'recovery', kind: 'recovery', pointer: '/recovery', title: 'Say what happens when a check fails', reason: 'There are agents and no policy: a failed check would end the run.', patch: [{ op: 'add', path: '/recovery', value: {} }] });
  return { left, accepted };
}
