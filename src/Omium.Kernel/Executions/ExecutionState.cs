using System.Collections.Immutable;
using System.Text.Json;

namespace Omium.Kernel.Executions;

/// <summary>Status of an execution, without its waiting reasons.</summary>
public enum ExecutionStatus
{
    /// <summary>No record yet.</summary>
    None,

    /// <summary>Goes on by itself.</summary>
    Running,

    /// <summary>Begins nothing new until a person says so.</summary>
    Paused,

    /// <summary>Compensating.</summary>
    RollingBack,

    /// <summary>Ended well.</summary>
    Succeeded,

    /// <summary>Ended badly.</summary>
    Failed,

    /// <summary>Ended by a person.</summary>
    Cancelled,
}

/// <summary>The fold of an execution's events. Immutable; everything that is outstanding follows from it (<see cref="ExecutionKernel.Pending"/>).</summary>
public sealed partial record ExecutionState
{
    /// <summary>Before the first record.</summary>
    public static readonly ExecutionState Empty = new();

    /// <summary>Id.</summary>
    public string ExecutionId { get; init; } = "";

    /// <summary>Tenant.</summary>
    public string Tenant { get; init; } = "";

    /// <summary>Workflow name.</summary>
    public string Workflow { get; init; } = "";

    /// <summary>Pinned version.</summary>
    public int WorkflowVersion { get; init; }

    /// <summary>Digest of the pinned spec.</summary>
    public string SpecDigest { get; init; } = "";

    /// <summary>Input.</summary>
    public JsonElement Input { get; init; }

    /// <summary>Randomness of this execution.</summary>
    public long Seed { get; init; }

    /// <summary>Amount in USD above which an effect is high-value.</summary>
    public double HighValueUsd { get; init; }

    /// <summary>Status.</summary>
    public ExecutionStatus Status { get; init; }

    /// <summary>Time of the first record, Unix ms.</summary>
    public long CreatedMs { get; init; }

    /// <summary>Time of the last record, Unix ms.</summary>
    public long UpdatedMs { get; init; }

    /// <summary>Time of the end, Unix ms; 0 while it goes on.</summary>
    public long EndedMs { get; init; }

    /// <summary>Output, when it succeeded.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>Visits.</summary>
    public VisitDictionary Visits { get; init; } = VisitDictionary.Empty;

    /// <summary>Latest visit of each step that has one.</summary>
    public ImmutableDictionary<string, int> Latest { get; init; } = ImmutableDictionary<string, int>.Empty;

    /// <summary>Visits that are neither committed, failed for good, skipped nor rolled back, in the order they were scheduled.</summary>
    public ImmutableSortedDictionary<int, VisitKey> Open { get; init; } = ImmutableSortedDictionary<int, VisitKey>.Empty;

    /// <summary>How often each loop edge was taken.</summary>
    public ImmutableDictionary<int, int> Loops { get; init; } = ImmutableDictionary<int, int>.Empty;

    /// <summary>Number of visits scheduled or skipped so far: the order of the next one.</summary>
    public int Ordinal { get; init; }

    /// <summary>Number of commits so far: the order of the next one.</summary>
    public int Commits { get; init; }

    /// <summary>Reviews by id.</summary>
    public ImmutableDictionary<string, ReviewState> Reviews { get; init; } = ImmutableDictionary<string, ReviewState>.Empty;

    /// <summary>Open reviews, oldest first.</summary>
    public ImmutableList<string> OpenReviews { get; init; } = [];

    /// <summary>Failures that a person has ignored, oldest first, named as in <see cref="IgnoreFailure"/>.</summary>
    public ImmutableList<string> IgnoredFailures { get; init; } = [];

    /// <summary>Agents as edited for this execution.</summary>
    public ImmutableDictionary<string, AgentEdit> Edits { get; init; } = ImmutableDictionary<string, AgentEdit>.Empty;

    /// <summary>Uses of each policy rule.</summary>
    public ImmutableDictionary<int, int> RuleUses { get; init; } = ImmutableDictionary<int, int>.Empty;

    /// <summary>The rollback under way, if any.</summary>
    public RollbackState? Rollback { get; init; }

    /// <summary>Number of rollbacks planned so far.</summary>
    public int Rollbacks { get; init; }

    /// <summary>What could not be undone, oldest first.</summary>
    public ImmutableList<ResidueState> Residue { get; init; } = [];

    /// <summary>Notifications not yet delivered.</summary>
    public ImmutableDictionary<int, NotificationRequested> Notifications { get; init; } = ImmutableDictionary<int, NotificationRequested>.Empty;

    /// <summary>Number of notifications requested so far.</summary>
    public int NotificationCount { get; init; }

    /// <summary>Operator requests already carried out.</summary>
    public ImmutableHashSet<string> Requests { get; init; } = [];

    /// <summary>The newest failure that is not resolved: what a retry begins with.</summary>
    public VisitKey? FailedVisit { get; init; }

    /// <summary>Calls whose result may still come although their visit is closed.</summary>
    public ImmutableHashSet<string> FencedCalls { get; init; } = [];

    /// <summary>True when it has ended (a retry may reopen a failed one).</summary>
    public bool Ended => Status is ExecutionStatus.Succeeded or ExecutionStatus.Failed or ExecutionStatus.Cancelled;

    /// <summary>Effects whose result came after they were given up and is on record as discarded: a second one has no consequence at all.</summary>
    public ImmutableHashSet<string> DiscardedResults { get; init; } = [];

    /// <summary>Agents that stand in for another in this execution, by the agent they replace.</summary>
    public ImmutableDictionary<string, string> Substitutes { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>How often calls under a declared key were undone, by tool and key.</summary>
    public ImmutableDictionary<string, int> Undone { get; init; } = ImmutableDictionary<string, int>.Empty;

    /// <summary>Reviews that asked about a failure of a step (or item), oldest first, by its id.</summary>
    public ImmutableDictionary<string, ImmutableList<string>> FailureReviews { get; init; } = ImmutableDictionary<string, ImmutableList<string>>.Empty;

    internal static string UndoneName(string tool, string key) => $"{tool}\n{key}";

    /// <summary>The latest visit of a step that was not taken back, or null: the one that joins and expressions see.</summary>
    public VisitState? StandingVisit(string step)
    {
        for (var visit = Latest.GetValueOrDefault(step); visit > 0; visit--)
        {
            if (Visits[new VisitKey(step, visit)] is { Status: not VisitStatus.RolledBack } standing)
            {
                return standing;
            }
        }

        return null;
    }

    /// <summary>The latest visit of a step, or null.</summary>
    public VisitState? LatestVisit(string step) => Latest.TryGetValue(step, out var visit) ? Visits[new VisitKey(step, visit)] : null;
}

/// <summary>Status of a visit.</summary>
public enum VisitStatus
{
    /// <summary>Something is outstanding: a model's turn, a call, a review, a retry that is due later.</summary>
    Open,

    /// <summary>Committed.</summary>
    Committed,

    /// <summary>The attempt failed, and what follows (a review, a rollback) is under way.</summary>
    FailedAttempt,

    /// <summary>Failed for good.</summary>
    Failed,

    /// <summary>Will not run.</summary>
    Skipped,

    /// <summary>Taken back.</summary>
    RolledBack,
}

/// <summary>One visit of one step.</summary>
public sealed partial record VisitState(VisitKey Key, int Ordinal)
{
    /// <summary>Status.</summary>
    public VisitStatus Status { get; init; }

    /// <summary>Attempt, from 1.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>Input or a reference to it.</summary>
    public JsonElement Input { get; init; }

    /// <summary>Digest of the input.</summary>
    public string InputDigest { get; init; } = "";

    /// <summary>Visits whose taken edges scheduled it.</summary>
    public IReadOnlyList<VisitKey> After { get; init; } = [];

    /// <summary>Visits whose outputs it read.</summary>
    public IReadOnlyList<VisitKey> Reads { get; init; } = [];

    /// <summary>When it was scheduled, Unix ms.</summary>
    public long ScheduledMs { get; init; }

    /// <summary>When it was settled, Unix ms; 0 before.</summary>
    public long SettledMs { get; init; }

    /// <summary>While a retry waits: when it is due, Unix ms; else 0.</summary>
    public long RetryDueMs { get; init; }

    /// <summary>Committed output, or a reference to it.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>Of a referenced output: the parts that expressions read.</summary>
    public JsonElement? Projection { get; init; }

    /// <summary>Outgoing edges that were taken.</summary>
    public IReadOnlyList<int> TakenEdges { get; init; } = [];

    /// <summary>Order among commits; 0 before.</summary>
    public int CommitOrdinal { get; init; }

    /// <summary>Checkpoint made by its commit.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>The agent's turns of this attempt.</summary>
    public ImmutableList<ModelAnswered> Turns { get; init; } = [];

    /// <summary>Calls of every attempt, oldest first.</summary>
    public ImmutableList<CallState> Calls { get; init; } = [];

    /// <summary>Failures of its attempts, oldest first, each with its time.</summary>
    public ImmutableList<(StepFailed Failure, long AtMs)> Failures { get; init; } = [];

    /// <summary>Guards that were not met, oldest first.</summary>
    public ImmutableList<GuardFailed> GuardsFailed { get; init; } = [];

    /// <summary>The visit whose loop edge runs this step anew; null when none does, or when that visit was taken back.</summary>
    public VisitKey? DetachedBy { get; init; }

    /// <summary>True when a loop runs what lies behind it anew: its edges count as not settled.</summary>
    public bool Detached => DetachedBy is not null;

    /// <summary>Policy actions that wait for a rollback under way; null when none do.</summary>
    public IReadOnlyList<Specs.RecoveryAction>? Deferred { get; init; }

    /// <summary>True while its attempt failed and nothing has been decided yet.</summary>
    public bool Failing => Status == VisitStatus.FailedAttempt;

    /// <summary>True when its outgoing edges are settled: those in <see cref="TakenEdges"/> are taken, the others are not.</summary>
    public bool EdgesSettled => !Detached && Status is (VisitStatus.Committed or VisitStatus.Failed or VisitStatus.Skipped);

    /// <summary>Tokens read and written by all its turns.</summary>
    public long InputTokens { get; init; }

    /// <summary>Tokens written.</summary>
    public long OutputTokens { get; init; }

    /// <summary>The calls of the current attempt.</summary>
    public IEnumerable<CallState> CurrentCalls => Calls.Where(call => call.Id.Attempt == Attempt);
}

/// <summary>Status of a call.</summary>
public enum CallStatus
{
    /// <summary>May be made.</summary>
    Requested,

    /// <summary>Waits for a person.</summary>
    AwaitingApproval,

    /// <summary>The intent is on record; its owner is calling.</summary>
    Intent,

    /// <summary>Nobody knows whether it happened; a rerun, a probe or a person will tell.</summary>
    InDoubt,

    /// <summary>The child workflow is under way.</summary>
    Running,

    /// <summary>It happened.</summary>
    Settled,

    /// <summary>It did not happen, or (MayHaveHappened) may have.</summary>
    Failed,

    /// <summary>It will not be made.</summary>
    Refused,

    /// <summary>It happened and was undone.</summary>
    Compensated,
}

/// <summary>One call of a tool.</summary>
public sealed partial record CallState(EffectId Id, string Tool)
{
    /// <summary>Status.</summary>
    public CallStatus Status { get; init; }

    /// <summary>Effect kind.</summary>
    public Specs.EffectKind Kind { get; init; }

    /// <summary>Arguments or a reference.</summary>
    public JsonElement Arguments { get; init; }

    /// <summary>Digest of the arguments.</summary>
    public string ArgumentsDigest { get; init; } = "";

    /// <summary>Idempotency key.</summary>
    public string? Key { get; init; }

    /// <summary>The model's id of the call.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>The agent's turn; 0 for a tool_call step.</summary>
    public int Turn { get; init; }

    /// <summary>Owner of the newest intent.</summary>
    public string? Owner { get; init; }

    /// <summary>When the newest intent was recorded, Unix ms.</summary>
    public long IntentMs { get; init; }

    /// <summary>When its key was first used, Unix ms, by this call or by one of an earlier attempt that may stand; 0 before.</summary>
    public long KeyUsedMs { get; init; }

    /// <summary>Number of verify probes answered.</summary>
    public int Probes { get; init; }

    /// <summary>How many of them were about earlier runs.</summary>
    public int ProbesBefore { get; init; }

    /// <summary>True when it could not be undone: it is a person's business and is never compensated again.</summary>
    public bool Residue { get; init; }

    /// <summary>True when it was to be undone and nobody can say whether it was: it is on the residue ledger, and its key is not used again.</summary>
    public bool MayBeUndone => Residue && CompensationAttempts > 0;

    /// <summary>True when an earlier run of it may have happened: that a later one did not says nothing about the first.</summary>
    public bool EarlierUnclear { get; init; }

    /// <summary>When the newest intent is in doubt, Unix ms.</summary>
    public long InDoubtAtMs { get; init; }

    /// <summary>Number of intents recorded.</summary>
    public int Runs { get; init; }

    /// <summary>In doubt: rerun (with the same key, while the receiver honours it), redo (it is known not to have happened), verify or review.</summary>
    public string? Next { get; init; }

    /// <summary>In doubt: when that may be done, Unix ms.</summary>
    public long NextDueMs { get; init; }

    /// <summary>Result.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Failure.</summary>
    public EffectFailure? Failure { get; init; }

    /// <summary>Why it was refused.</summary>
    public string? Refusal { get; init; }

    /// <summary>Attempts of its compensation.</summary>
    public int CompensationAttempts { get; init; }

    /// <summary>When its compensation may be tried (again), Unix ms.</summary>
    public long CompensationDueMs { get; init; }

    /// <summary>True for a worker's task: it is leased, not called.</summary>
    public bool IsTask => Tool.StartsWith(Specs.WorkflowPlan.TaskPrefix, StringComparison.Ordinal);

    /// <summary>True while the outcome of an effect that has begun is not known.</summary>
    public bool Unsettled => Status is CallStatus.Intent or CallStatus.InDoubt;

    /// <summary>True while it keeps its visit open.</summary>
    public bool Outstanding => Status is CallStatus.Requested or CallStatus.Running or CallStatus.AwaitingApproval or CallStatus.Intent or CallStatus.InDoubt;

    /// <summary>True when the outside world may have changed and was not set right.</summary>
    public bool MayStand => Child is not null ? ChildMayStand : Kind != Specs.EffectKind.None && !Residue && !Inherited && !Sandboxed
        && (Status == CallStatus.Settled || (Status == CallStatus.Failed && Failure is { MayHaveHappened: true }));
}

/// <summary>A rollback under way: effects still to compensate, in order.</summary>
public sealed record RollbackState(RollbackPlanned Plan, ImmutableList<string> Remaining)
{
    /// <summary>Compensated so far.</summary>
    public int Compensated { get; init; }

    /// <summary>Left as residue so far.</summary>
    public int Residue { get; init; }

    /// <summary>True when the execution was paused before.</summary>
    public bool WasPaused { get; init; }
}

/// <summary>A review and its decision.</summary>
public sealed record ReviewState(ReviewRequested Request, long RequestedMs)
{
    /// <summary>The decision, once made.</summary>
    public ReviewDecided? Decided { get; init; }

    /// <summary>When it was decided, Unix ms.</summary>
    public long DecidedMs { get; init; }

    /// <summary>When it expired without a decision, Unix ms; 0 while it has not.</summary>
    public long ExpiredMs { get; init; }

    /// <summary>Most proposals that are kept of one review: the newest.</summary>
    internal const int ProposalsMax = 20;

    /// <summary>Edits that were laid before whoever decides, oldest first.</summary>
    public ImmutableList<ProposalState> Proposals { get; init; } = [];
}

/// <summary>An edit that was proposed, and when, Unix ms.</summary>
public sealed record ProposalState(FixProposed Proposed, long AtMs);
