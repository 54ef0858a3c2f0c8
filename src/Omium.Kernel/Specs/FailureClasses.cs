namespace Omium.Kernel.Specs;

/// <summary>
/// Stable classes of failures, grouped as the MAST taxonomy (arXiv 2503.13657: specification, inter-agent misalignment, verification)
/// plus operations. A guard whose code is one of these names gives that class.
/// </summary>
public static class FailureClasses
{
#pragma warning disable CS1591 // The names are the documentation; the page docs/reference/failure-classes.md explains each.
    public const string Hallucination = "hallucination";
    public const string PolicyViolation = "policy_violation";
    public const string HighValueOperation = "high_value_operation";
    public const string GuardFailed = "guard_failed";
    public const string SchemaViolation = "schema_violation";
    public const string ExpressionFailed = "expression_failed";
    public const string Timeout = "timeout";
    public const string RateLimited = "rate_limited";
    public const string ToolError = "tool_error";
    public const string ModelError = "model_error";
    public const string WorkerLost = "worker_lost";
    public const string InDoubt = "in_doubt";
    public const string Rejected = "rejected";
    public const string NoTermination = "no_termination";
    public const string StepRepetition = "step_repetition";
    public const string StaleRead = "stale_read";
    public const string LockConflict = "lock_conflict";
    public const string CreditsExhausted = "credits_exhausted";
    public const string HandoffDisputed = "handoff_disputed";
    public const string InformationWithholding = "information_withholding";
    public const string MissingVerification = "missing_verification";
#pragma warning restore CS1591

    /// <summary>Every class with its group.</summary>
    public static readonly IReadOnlyDictionary<string, string> Groups = new Dictionary<string, string>
    {
        [Hallucination] = "verification",
        [GuardFailed] = "verification",
        [PolicyViolation] = "operations",
        [HighValueOperation] = "operations",
        [SchemaViolation] = "operations",
        [ExpressionFailed] = "specification",
        [Timeout] = "operations",
        [RateLimited] = "operations",
        [ToolError] = "operations",
        [ModelError] = "operations",
        [WorkerLost] = "operations",
        [InDoubt] = "operations",
        [Rejected] = "operations",
        [NoTermination] = "specification",
        [StepRepetition] = "specification",
        [StaleRead] = "operations",
        [LockConflict] = "operations",
        [CreditsExhausted] = "operations",
        [HandoffDisputed] = "inter_agent_misalignment",
        ["disobey_task_specification"] = "specification",
        ["disobey_role_specification"] = "specification",
        ["lost_history"] = "specification",
        ["conversation_reset"] = "inter_agent_misalignment",
        ["fail_to_ask"] = "inter_agent_misalignment",
        ["task_derailment"] = "inter_agent_misalignment",
        [InformationWithholding] = "inter_agent_misalignment",
        ["ignored_input"] = "inter_agent_misalignment",
        ["reasoning_action_mismatch"] = "inter_agent_misalignment",
        ["premature_termination"] = "verification",
        [MissingVerification] = "verification",
        ["incorrect_verification"] = "verification",
    };

    /// <summary>Classes that another try may cure by itself.</summary>
    public static readonly IReadOnlyList<string> Transient = [Timeout, RateLimited, ToolError, ModelError, WorkerLost];

    /// <summary>Classes whose repetition says nothing about the work: left out of "the same failure twice".</summary>
    public static readonly IReadOnlyList<string> Environmental = [RateLimited, Timeout, WorkerLost];

    /// <summary>The class of a guard with this code.</summary>
    public static string OfGuardCode(string code) => Groups.ContainsKey(code) ? code : GuardFailed;
}
