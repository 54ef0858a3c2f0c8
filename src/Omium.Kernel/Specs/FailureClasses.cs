namespace Omium.Kernel.Specs;

/// <summary>
/// Stable classes of failures, grouped as the MAST taxonomy plus operations. A guard whose code is one of these names gives that class.
/// The fourteen modes of MAST are <see cref="MastModes"/>.
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
    public const string StaleRead = "stale_read";
    public const string LockConflict = "lock_conflict";
    public const string CreditsExhausted = "credits_exhausted";
    public const string HandoffDisputed = "handoff_disputed";
    public const string ItemsFailed = "items_failed";

    public const string DisobeyTaskSpecification = "disobey_task_specification";
    public const string DisobeyRoleSpecification = "disobey_role_specification";
    public const string StepRepetition = "step_repetition";
    public const string LostHistory = "lost_history";
    public const string NoTermination = "no_termination";
    public const string ConversationReset = "conversation_reset";
    public const string FailToAsk = "fail_to_ask";
    public const string TaskDerailment = "task_derailment";
    public const string InformationWithholding = "information_withholding";
    public const string IgnoredInput = "ignored_input";
    public const string ReasoningActionMismatch = "reasoning_action_mismatch";
    public const string PrematureTermination = "premature_termination";
    public const string MissingVerification = "missing_verification";
    public const string IncorrectVerification = "incorrect_verification";
#pragma warning restore CS1591

    /// <summary>Group FC1 of MAST.</summary>
    public const string SpecificationGroup = "specification";

    /// <summary>Group FC2 of MAST.</summary>
    public const string MisalignmentGroup = "inter_agent_misalignment";

    /// <summary>Group FC3 of MAST.</summary>
    public const string VerificationGroup = "verification";

    /// <summary>What goes wrong around agents: endpoints, limits, people, rules of the house.</summary>
    public const string OperationsGroup = "operations";

    /// <summary>Every class with its group.</summary>
    public static readonly IReadOnlyDictionary<string, string> Groups = new Dictionary<string, string>(
        new KeyValuePair<string, string>[]
        {
            new(Hallucination, VerificationGroup),
            new(GuardFailed, VerificationGroup),
            new(PolicyViolation, OperationsGroup),
            new(HighValueOperation, OperationsGroup),
            new(SchemaViolation, OperationsGroup),
            new(ExpressionFailed, SpecificationGroup),
            new(Timeout, OperationsGroup),
            new(RateLimited, OperationsGroup),
            new(ToolError, OperationsGroup),
            new(ModelError, OperationsGroup),
            new(WorkerLost, OperationsGroup),
            new(InDoubt, OperationsGroup),
            new(Rejected, OperationsGroup),
            new(StaleRead, OperationsGroup),
            new(LockConflict, OperationsGroup),
            new(CreditsExhausted, OperationsGroup),
            new(HandoffDisputed, MisalignmentGroup),
            new(ItemsFailed, OperationsGroup),
        }.Concat(MastModes.All.Select(mode => new KeyValuePair<string, string>(mode.Class, mode.Group))));

    /// <summary>Classes that another try may cure by itself.</summary>
    public static readonly IReadOnlyList<string> Transient = [Timeout, RateLimited, ToolError, ModelError, WorkerLost];

    /// <summary>Classes whose repetition says nothing about the work: left out of "the same failure twice".</summary>
    public static readonly IReadOnlyList<string> Environmental = [RateLimited, Timeout, WorkerLost];

    /// <summary>The class of a guard with this code.</summary>
    public static string OfGuardCode(string code) => Groups.ContainsKey(code) ? code : GuardFailed;
}
