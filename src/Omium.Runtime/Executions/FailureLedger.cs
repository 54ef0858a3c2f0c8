using System.Collections.Immutable;
using System.Globalization;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;

namespace Omium.Runtime.Executions;

/// <summary>
/// The failures of one execution that it has not got over yet: a fold of its own records, which says what the list of failures (<see cref="Ports.IndexKinds.Failure"/>)
/// is told. A failure enters when an attempt failed and was not retried in the same record, and leaves when the execution goes on past it: its step
/// commits, is skipped or replaced by another way, or the execution ends well. Failures of the records that a fork begins with are its source's.
/// </summary>
public sealed class FailureLedger
{
    private readonly ImmutableList<ListedFailure> _open;

    private FailureLedger(ImmutableList<ListedFailure> open) => _open = open;

    /// <summary>Before the first record.</summary>
    public static FailureLedger Empty { get; } = new([]);

    /// <summary>Oldest first. One that is <see cref="ListedFailure.Answered"/> stays until it is over.</summary>
    public IReadOnlyList<ListedFailure> Open => _open;

    /// <summary>The ledger after a record, and the failures that the record changed, each once, as they are after it.</summary>
    /// <param name="after">State of the execution after the record.</param>
    /// <param name="events">Events of the record.</param>
    /// <param name="atMs">Time of the record, Unix ms.</param>
    public (FailureLedger Ledger, IReadOnlyList<ListedFailure> Changed) After(ExecutionState after, IReadOnlyList<ExecutionEvent> events, long atMs)
    {
        ArgumentNullException.ThrowIfNull(after);
        ArgumentNullException.ThrowIfNull(events);
        if (_open.IsEmpty && !events.Any(BeginsOne))
        {
            return (this, []);
        }

        var record = new Record(this, after, events, atMs);
        foreach (var happened in events)
        {
            record.Take(happened);
        }

        return (record.Open == _open ? this : new FailureLedger(record.Open), [.. record.Changed.Values]);
    }

    /// <summary>The id of a failure: execution, step, visit, attempt.</summary>
    public static string FailureId(string execution, string step, int visit, int attempt) => $"{execution}.{step}.{visit}.{attempt}";

    /// <summary>The id under which the list has a failure that the log says; see <see cref="RetoldFailures"/>.</summary>
    public static string ListedId(ExecutionState state, StepFailed failed)
    {
        var told = RetoldFailures.FirstTold(state, failed);
        return FailureId(state.ExecutionId, told.Step, told.Visit, told.Attempt);
    }

    /// <summary>The id of a dispute: execution, sender, visit, then the edge (from 1) and the measurement.</summary>
    public static string DisputeId(string execution, HandoffDisputed dispute)
    {
        ArgumentNullException.ThrowIfNull(dispute);
        return string.Create(CultureInfo.InvariantCulture, $"{execution}.{dispute.Step}.{dispute.Visit}.h{dispute.Edge + 1}r{dispute.Round}");
    }

    private static bool BeginsOne(ExecutionEvent happened) => happened is StepFailed or HandoffDisputed or ReviewRequested { Kind: "failure" };

    /// <summary>One record's changes.</summary>
    private sealed class Record(FailureLedger before, ExecutionState after, IReadOnlyList<ExecutionEvent> events, long atMs)
    {
        public ImmutableList<ListedFailure> Open { get; private set; } = before._open;

        public Dictionary<string, ListedFailure> Changed { get; } = new(StringComparer.Ordinal);

        public void Take(ExecutionEvent happened)
        {
            switch (happened)
            {
                // An item's failure is listed of its own only when a person is asked about it: else it is in its step's output, and its step's failure names it.
                // One that is tried again at once is not; one that a retry in the same record has led to is.
                case StepFailed { Repeats: null } e when !ItemName.Is(e.Step)
                    && !events.OfType<RetryScheduled>().Any(retry => retry.Step == e.Step && retry.Visit == e.Visit && retry.Attempt > e.Attempt):
                    Add(new ListedFailure(FailureId(after.ExecutionId, e.Step, e.Visit, e.Attempt), e.Step, e.Visit, e.Class, e.Code, atMs));
                    break;
                case ReviewRequested { Kind: "failure" } e when ItemName.Is(e.Step) && after.Visits[new VisitKey(e.Step, e.Visit)].Failures is { Count: > 0 } failures:
                    var (last, lastMs) = failures[^1];
                    Add(new ListedFailure(FailureId(after.ExecutionId, last.Step, last.Visit, last.Attempt), last.Step, last.Visit, last.Class, last.Code, lastMs));
                    break;
                case HandoffDisputed e:
                    Add(new ListedFailure(DisputeId(after.ExecutionId, e), e.Step, e.Visit, FailureClasses.HandoffDisputed, e.Code, atMs) { Edge = e.Edge });
                    break;
                case RollbackPlanned e:
                    TakeBack(e);
                    break;
                case StepCommitted e:
                    Over(failure => failure.Edge is null && failure.Step == e.Step, IsOverride() ? RecoveryWays.Override : RecoveryWays.Retry);
                    Over(failure => failure.Edge is null && (IsBehind(e, failure) || IsItemOf(e, failure)), RecoveryWays.Fallback);
                    break;
                case StepSkipped e when e.Reason != "no_edge_taken":
                    Over(failure => failure.Edge is null && failure.Step == e.Step, RecoveryWays.Skip);
                    break;
                case HandoffRepeated e:
                    Answer(e.Edge, e.Step, e.Visit, takenBack: false);
                    break;
                case HandoffRevoked e:
                    Answer(e.Edge, e.Step, e.Visit, takenBack: true);
                    break;
                case HandoffAgreed e:
                    Over(failure => failure.Edge == e.Edge && failure.Step == e.Step, RecoveryWays.Retry);
                    break;
                case FailureIgnored e:
                    Ignore($"{after.ExecutionId}.{e.Failure}");
                    break;
                case ExecutionSucceeded:
                    Over(_ => true, RecoveryWays.Fallback);
                    break;
            }
        }

        private void Add(ListedFailure failure)
        {
            if (!Open.Exists(known => known.Id == failure.Id))
            {
                Open = Open.Add(Changed[failure.Id] = failure);
            }
        }

        /// <summary>Failed visits that a rollback takes back, and an attempt whose effects are undone before it is made again.</summary>
        private void TakeBack(RollbackPlanned rollback)
        {
            if (Open.IsEmpty)
            {
                return;
            }

            var affected = rollback.Affected.ToHashSet();
            Open = Open.ConvertAll(failure => new VisitKey(failure.Step, failure.Visit) is var key && (affected.Contains(key) || rollback.Then.Visit == key)
                ? failure with { IsTakenBack = true } // Told when it is over: its row is the same until then.
                : failure);
        }

        private void Ignore(string id) =>
            Open = Open.ConvertAll(failure => failure.Id == id && !failure.Ignored ? Changed[id] = failure with { Ignored = true } : failure);

        private void Answer(int edge, string step, int visit, bool takenBack) =>
            Open = Open.ConvertAll(failure => failure.Edge == edge && failure.Step == step && failure.Visit == visit && !failure.Answered
                ? Changed[failure.Id] = failure with { Answered = true, IsTakenBack = failure.IsTakenBack || takenBack }
                : failure);

        private void Over(Predicate<ListedFailure> which, string way)
        {
            foreach (var failure in Open.FindAll(which))
            {
                Changed[failure.Id] = failure with { Answered = true, OverMs = atMs, Way = failure.IsTakenBack ? RecoveryWays.Rollback : way };
            }

            Open = Open.RemoveAll(which);
        }

        private bool IsOverride() => events.Any(happened => happened is ReviewDecided { Decision: "override" });

        /// <summary>True when it is an item that was given up: its step could do without it.</summary>
        private static bool IsItemOf(StepCommitted committed, ListedFailure failure) => ItemName.Is(failure.Step) && ItemName.StepOf(failure.Step) == committed.Step;

        /// <summary>True when the committed visit was scheduled by an edge that the failure took.</summary>
        private bool IsBehind(StepCommitted committed, ListedFailure failure) =>
            after.Visits[new VisitKey(committed.Step, committed.Visit)].After.Contains(new VisitKey(failure.Step, failure.Visit));
    }
}

/// <summary>A failure as the list has it.</summary>
/// <param name="Id"><see cref="FailureLedger.FailureId"/> or <see cref="FailureLedger.DisputeId"/>.</param>
/// <param name="Step">Step that failed; of a dispute the sender.</param>
/// <param name="Visit">Its visit.</param>
/// <param name="Class">Class.</param>
/// <param name="Code">Code.</param>
/// <param name="AtMs">When it was detected, Unix ms.</param>
public sealed record ListedFailure(string Id, string Step, int Visit, string Class, string Code, long AtMs)
{
    /// <summary>Of a dispute: the edge handed over on; else null.</summary>
    public int? Edge { get; init; }

    /// <summary>True once nobody has to decide about it any more; a dispute that is measured again is answered, and not over before both agree.</summary>
    public bool Answered { get; init; }

    /// <summary>True once a person has said that it needs nobody's attention.</summary>
    public bool Ignored { get; init; }

    /// <summary>True when a rollback took it back.</summary>
    public bool IsTakenBack { get; init; }

    /// <summary>When the execution was past it, Unix ms; 0 before.</summary>
    public long OverMs { get; init; }

    /// <summary>How it came past it (<see cref="RecoveryWays"/>); "" before.</summary>
    public string Way { get; init; } = "";
}

/// <summary>How an execution comes past a failure. Stored in the index (<see cref="Ports.IndexRow.By"/>).</summary>
public static class RecoveryWays
{
    /// <summary>A rollback had taken the failed visit or attempt back, whoever ordered it and whatever followed it.</summary>
    public const string Rollback = "rollback";

    /// <summary>Done again as it stood, and accepted.</summary>
    public const string Retry = "retry";

    /// <summary>A person gave the output.</summary>
    public const string Override = "override";

    /// <summary>A person or the policy went on without the step.</summary>
    public const string Skip = "skip";

    /// <summary>What lies behind a failure edge was committed instead, or the execution ended well without it.</summary>
    public const string Fallback = "fallback";

    /// <summary>Every way, the one that is shown first first.</summary>
    public static readonly string[] All = [Rollback, Retry, Override, Skip, Fallback];
}
