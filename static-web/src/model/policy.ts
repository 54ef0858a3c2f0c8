import { parse, stringify } from 'yaml';
import type { Json } from '~/api/types';

/** A policy as a person writes it: YAML. */
export function policyText(policy: Json | undefined): string {
  return policy === undefined || policy === null ? '' : stringify(policy, { lineWidth: 120 });
}

export function parsePolicy(text: string): { ok: true; value: Json } | { ok: false; message: string } {
  try {
    return { ok: true, value: parse(text) as Json };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message.split('\n')[0]! : 'This is not YAML.' };
  }
}

export const starterPolicy = `rollback_triggers:
  - hallucination_detected: true
  - policy_violation: true
  - high_value_operation: true  # > $10K
recovery_actions:
  - rollback_to_last_checkpoint: true
  - pause_and_notify: true
  - await_human_review: true
  - allowed_edits: ["prompt", "constraints", "tool_selection"]
  - forbidden_edits: ["core_logic", "agent_count"]
retry_policy:
  max_retries: 3
  backoff: exponential(1s, 10s)
  condition: "same_failure_not_detected_twice"
`;
