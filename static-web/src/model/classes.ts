/** The failure classes one filters by most; the server knows more, and what an address names is offered, too. */
export const failureClasses = [
  'hallucination', 'policy_violation', 'high_value_operation', 'guard_failed', 'schema_violation', 'handoff_disputed', 'stale_read', 'lock_conflict', 'tool_error', 'model_error',
  'timeout', 'rate_limited', 'worker_lost', 'in_doubt', 'rejected', 'items_failed', 'no_termination', 'step_repetition', 'credits_exhausted',
] as const;
