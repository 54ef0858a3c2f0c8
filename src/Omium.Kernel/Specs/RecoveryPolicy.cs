namespace Omium.Kernel.Specs;

/// <summary>
/// What happens after a failure. Triggers win over retry; actions run in the order written; retry serves what no trigger names,
/// and runs again after an approval (DESIGN section 5).
/// </summary>
public sealed record RecoveryPolicy
{
    /// <summary>
    /// The policy of a workflow that names none: transient failures (time-out, rate limit, tool error, lost worker, model error) are retried three times,
    /// exponential(1s, 10s), even when the same one is seen twice (an unreachable tool fails alike each time); everything else fails the step.
    /// </summary>
    public static readonly RecoveryPolicy Default = new()
    {
        Retry = new PolicyRetry(3, new Backoff(true, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), true), false),
        RetryTransientOnly = true,
    };

    /// <summary>Failure classes that trigger <see cref="Actions"/>.</summary>
    public IReadOnlyList<string> Triggers { get; init; } = [];

    /// <summary>Actions of a triggered failure, in order.</summary>
    public IReadOnlyList<RecoveryAction> Actions { get; init; } = [];

    /// <summary>What a person may edit: prompt, constraints, tool_selection.</summary>
    public IReadOnlyList<string> AllowedEdits { get; init; } = EditKinds.All;

    /// <summary>What nobody may edit: core_logic, agent_count, or any of the allowed kinds.</summary>
    public IReadOnlyList<string> ForbiddenEdits { get; init; } = [];

    /// <summary>Retry of failures that trigger nothing; null = none.</summary>
    public PolicyRetry? Retry { get; init; }

    /// <summary>True: <see cref="Retry"/> serves transient classes only.</summary>
    public bool RetryTransientOnly { get; init; }

    /// <summary>The full form: first rule that matches wins; empty in the short form.</summary>
    public IReadOnlyList<RecoveryRule> Rules { get; init; } = [];
}

/// <summary>Retry of a policy. <paramref name="RetriesMax"/> = 3 means four attempts.</summary>
public sealed record PolicyRetry(int RetriesMax, Backoff Backoff, bool StopOnSameFailure);

/// <summary>One action: <c>rollback_to_last_checkpoint</c>, <c>pause_and_notify</c>, <c>await_human_review</c>, or one of the rules form.</summary>
/// <param name="Kind">retry, rollback_to, compensate, pause, notify, escalate_to, use_agent, skip, fail, await_review.</param>
/// <param name="Argument">Checkpoint (<c>last</c> = the newest on the failed step's ancestry), channel, role or agent; of a retry that a person or the program asked for,
/// <c>asked_for</c>: such a one is on record only, no policy can name it, and the policy's limit of attempts does not end it.</param>
public sealed record RecoveryAction(string Kind, string? Argument = null);

/// <summary>A rule of the full form.</summary>
/// <param name="On">Classes or codes; empty = any.</param>
/// <param name="When">Further condition over <c>failure {class, code, message, attempt, step}</c> and the usual roots.</param>
/// <param name="Do">Actions in order.</param>
/// <param name="Limit">Most times it may be applied in one execution; null = no limit.</param>
public sealed record RecoveryRule(IReadOnlyList<string> On, string? When, IReadOnlyList<RecoveryAction> Do, int? Limit);

/// <summary>What an edit may touch.</summary>
public static class EditKinds
{
    /// <summary>An agent's prompt.</summary>
    public const string Prompt = "prompt";

    /// <summary>An agent's constraints.</summary>
    public const string Constraints = "constraints";

    /// <summary>An agent's tools.</summary>
    public const string ToolSelection = "tool_selection";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [Prompt, Constraints, ToolSelection];
}
