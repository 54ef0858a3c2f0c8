using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>
/// The kernel: pure and deterministic. Everything durable about an execution is the ordered stream of records that these functions decided.
/// <code>
/// Needs  (state, command)         -> payload references this decision must be able to read
/// Decide (state, command, values) -> events and payloads to append, or a rejection; never throws, never reads a clock
/// Evolve (state, event, at)       -> state; total: an impossible event is a corrupt log
/// Pending(state)                  -> what is outstanding; derived, never stored apart
/// </code>
/// </summary>
public static class ExecutionKernel
{
    /// <summary>Raised whenever Decide can answer differently than before.</summary>
    public const int Version = 1;

    /// <summary>
    /// Digests of payloads that <see cref="Decide"/> must be given for this command; at most 1 MiB in all. What an expression reads besides
    /// is wished for by the outcome (<see cref="DecisionOutcome.Wishes"/>), another 1 MiB at most; larger values stay opaque. The results of an agent's calls are among them when a guard of its step reads them.
    /// </summary>
    public static IReadOnlyList<string> Needs(ExecutionState state, ExecutionCommand command, WorkflowPlan plan)
    {
        var needed = new List<string>();
        var room = (long)PayloadReference.DecisionBytesMax;
        void Add(JsonElement? value)
        {
            if (value is { } element && PayloadReference.TryRead(element, out var digest, out var size) && size <= room && !needed.Contains(digest))
            {
                room -= size;
                needed.Add(digest);
            }
        }

        switch (command)
        {
            case StartExecution start:
                Add(start.Input);
                AddTold(state, start.First, Add);
                break;
            case TraceExecution trace:
                AddTold(state, trace, Add);
                Add(state.Input);
                break;
            case SettleEffect or SettleTask or AcknowledgeHandoff:
                var (effect, result) = command switch { SettleEffect e => (e.Effect, e.Outcome.Result), SettleTask e => (e.Effect, e.Outcome.Result), AcknowledgeHandoff e => (e.Effect, null), _ => ("", null) };
                Add(result);
                Add((command as SettleEffect)?.Outcome.Answer?.Output);
                if (EffectId.TryParse(effect, out var id) && state.Visits.TryGetValue(id.Key, out var visit))
                {
                    AddItem(state, visit, Add);
                    Add(state.Input);
                    Add(visit.Input);
                    foreach (var read in state.SharedOf(id.Key)?.Reads ?? [])
                    {
                        Add(read.Value);
                    }

                    Add(id.Part == 'h' ? visit.Output : visit.Verification?.Request.Value); // What a receiver reads next, or what is committed next.
                    if (plan.Step(id.Step)?.ReadsCalls == true)
                    {
                        foreach (var call in visit.CurrentCalls)
                        {
                            Add(call.Result);
                            Add(call.Arguments);
                        }
                    }
                }

                break;
            case SettleWrites settle:
                if (EffectId.TryParse(settle.Effect, out var writing) && state.Visits.GetValueOrDefault(writing.Key)?.Shared?.Writing is { } output)
                {
                    Add(output.Output);
                }

                Add(state.Input);
                break;
            default:
                AddItems(state, command, Add);
                Add(state.Input);
                if (command is ForkExecution { Edits: { } edits })
                {
                    Add(edits.Input);
                    foreach (var change in edits.Steps ?? [])
                    {
                        Add(change.Output);
                    }
                }

                if (command is RetryExecution { Correction: { } corrected })
                {
                    Add(corrected.Output);
                }

                if (TakesUpVisits(command))
                {
                    AddOpen(state, Add);
                }

                break;
        }

        foreach (var correction in state.Corrections.Values.OrderBy(correction => correction.Step, StringComparer.Ordinal))
        {
            Add(correction.Output);
        }

        return needed;
    }

    /// <summary>What code that runs elsewhere tells, and the messages that it receives: both are held to checks.</summary>
    private static void AddTold(ExecutionState state, TraceExecution? trace, Action<JsonElement?> add)
    {
        foreach (var operation in trace?.Operations ?? [])
        {
            add(operation.Output);
            if (operation is { Do: TraceWords.Receive, Name: { } name })
            {
                add(Decision.MessageOf(state, name)?.Output);
            }
        }
    }

    /// <summary>True for commands that take up visits which are open: their decisions are given what those were made from.</summary>
    private static bool TakesUpVisits(ExecutionCommand command) =>
        command is WakeTimers or ResumeExecution or RetryExecution or DecideReview or RollBackExecution or ForkExecution or MigrateExecution or GrantCredits;

    /// <summary>
    /// Inputs of what is open. Large outputs of earlier steps are not among them: an expression that turns out to read one wishes for it.
    /// </summary>
    private static void AddOpen(ExecutionState state, Action<JsonElement?> add)
    {
        foreach (var key in state.Open.Values)
        {
            add(state.Visits[key].Input);
            add(state.Visits[key].Verification?.Request.Value);
            foreach (var read in state.Visits[key].Shared?.Reads ?? [])
            {
                add(read.Value);
            }
        }
    }

    /// <summary>The piece of the list that holds an item, and the one that holds the item to begin next.</summary>
    private static void AddItem(ExecutionState state, VisitState visit, Action<JsonElement?> add)
    {
        if (visit.ItemOf is { } parent && state.Visits[parent].Items is { } items && ItemName.TryRead(visit.Key.Step, out _, out var index))
        {
            add(items.ChunkOf(index).Items);
            AddFollowing(state.Visits[parent], add);
        }
    }

    private static void AddFollowing(VisitState visit, Action<JsonElement?> add)
    {
        if (visit.Items is { Following: { } next } items)
        {
            add(items.ChunkOf(next).Items);
        }
    }

    /// <summary>Pieces of lists for a command that names no effect: of the item under review, else of what may begin or be tried again.</summary>
    private static void AddItems(ExecutionState state, ExecutionCommand command, Action<JsonElement?> add)
    {
        if (command is DecideReview decided && state.Reviews.TryGetValue(decided.Review, out var review))
        {
            AddItem(state, state.Visits[new VisitKey(review.Request.Step, review.Request.Visit)], add);
        }

        if (!TakesUpVisits(command))
        {
            return;
        }

        foreach (var visit in state.Open.Values.Select(key => state.Visits[key]))
        {
            AddFollowing(visit, add);
            if (visit.RetryDueMs > 0 || visit.Failing)
            {
                AddItem(state, visit, add);
            }
        }
    }

    /// <summary>Decides a command, with what it turns out to read: null from <paramref name="read"/> means that there is no such payload.</summary>
    public static DecisionOutcome Decide(ExecutionState state, ExecutionCommand command, DecisionValues values, Func<string, JsonElement?> read)
    {
        var (outcome, given) = (Decide(state, command, values), true);
        while (outcome.Wishes.Count > 0 && given)
        {
            given = false;
            foreach (var wish in outcome.Wishes)
            {
                given |= read(wish.Digest) is { } payload && values.TryGive(wish, payload);
            }

            outcome = given ? Decide(state, command, values) : outcome;
        }

        return outcome;
    }

    /// <summary>
    /// Decides a command. The same state, command and values always give the same outcome, which counts only when it wishes for nothing that can be had.
    /// </summary>
    public static DecisionOutcome Decide(ExecutionState state, ExecutionCommand command, DecisionValues values)
    {
        if (state.Status == ExecutionStatus.None && command is not StartExecution)
        {
            return DecisionOutcome.Rejected(new Rejection("execution_not_found", "no such execution has been started"));
        }

        return new Decision(state, values.Copy(), command.AtMs).Run(command);
    }

    /// <summary>The state after an event of a record decided at <paramref name="atMs"/>. Throws <see cref="CorruptLogException"/> only.</summary>
    public static ExecutionState Evolve(ExecutionState state, ExecutionEvent happened, long atMs) => ExecutionEvolver.Evolve(state, happened, atMs);

    /// <summary>The state after all events of a record.</summary>
    public static ExecutionState Fold(ExecutionState state, RecordBody record) => Fold(state, new RecordedEvents(record.Command.AtMs, record.Events));

    /// <summary>The same, of a record that was read for this only.</summary>
    public static ExecutionState Fold(ExecutionState state, RecordedEvents record)
    {
        foreach (var happened in record.Events)
        {
            state = Evolve(state, happened, record.AtMs);
        }

        return state;
    }

    /// <summary>
    /// The shared values that an external call depends on: read by its step or by what its input was made from. Each with the smallest version that
    /// was read; <see cref="BeginCall"/> must say what they are now.
    /// </summary>
    public static IReadOnlyList<(string Key, long Version)> FreshnessOf(ExecutionState state, WorkflowPlan plan, string effect) => Freshness.Needs(state, plan, effect);

    /// <summary>
    /// What a step reads a model's final answer as; null when it cannot be read as what the step asks for. Hosts use it to store a large answer once
    /// (<see cref="ModelAnswer.Output"/>); whether it is accepted is decided afterwards.
    /// </summary>
    public static JsonElement? ReadAnswer(WorkflowPlan plan, string step, string content) =>
        plan.Step(step) is { } known && Decision.TryReadAnswer(known, Decision.Mend(content), out var output, out _) ? output : null;

    /// <summary>Outstanding work, oldest visit first.</summary>
    public static IReadOnlyList<PendingEffect> Pending(ExecutionState state, WorkflowPlan plan) => PendingEffects.Of(state, plan);

    /// <summary>
    /// What a fork of the state after some record would run again. <paramref name="head"/>: the source as it stands now, whose later effects a
    /// live fork would repeat as well.
    /// </summary>
    public static ForkPreview PreviewFork(ExecutionState atPoint, ExecutionState head, DecisionValues values, ForkEdits? edits, string mode)
    {
        var again = new Decision(atPoint, values, atPoint.UpdatedMs).ForkRadius(edits, mode);
        var reused = atPoint.Visits.Values.Where(visit => visit.Status != VisitStatus.RolledBack).Select(visit => visit.Key).Except(again).ToHashSet();
        // Of a reused visit that was still at work, what it did later is to be done by the fork as well.
        bool IsReused(CallState call) => reused.Contains(call.Id.Key) && atPoint.Visits[call.Id.Key].Calls.Any(known => known.Id == call.Id);
        var visits = head.Visits.Values.OrderBy(visit => visit.Ordinal).ToArray();
        var repeats = visits.SelectMany(visit => visit.Calls).Where(call => (Decision.HappenedOnce(call) || call is { Sandboxed: true, Status: CallStatus.Settled }) && !IsReused(call));
        var rewrites = visits.Where(visit => visit.Shared is not null && !reused.Contains(visit.Key) && visit.Status != VisitStatus.RolledBack)
            .SelectMany(visit => visit.Shared!.CommittedAttempt > 0 ? visit.Shared.Written.Select(key => (visit.Key, key)) : visit.Shared.Sandboxed.Select(write => (visit.Key, write.Key)));
        return new ForkPreview(again, [.. repeats], [.. rewrites]);
    }

    /// <summary>What a rollback would take back and undo, without doing it; null when there is no such checkpoint.</summary>
    public static RollbackPreview? PreviewRollback(ExecutionState state, DecisionValues values, string to, string scope, long atMs, IReadOnlyList<string>? steps = null)
    {
        var decision = new Decision(state, values, atMs);
        if (decision.Radius(to, scope) is not { } whole)
        {
            return null;
        }

        var radius = whole.Only(steps);
        var undo = radius.Effects.Where(call => HasCompensation(call, values.Plan)).Select(call => call.Id.ToString()).ToArray();
        var stuck = radius.Effects.Where(call => !HasCompensation(call, values.Plan)).Select(call => call.Id.ToString()).ToArray();
        return new RollbackPreview(radius.To, radius.Affected, undo, stuck, decision.Orphans(radius.Affected)) { Unaffected = whole.Unaffected(steps) };
    }

    private static bool HasCompensation(CallState call, WorkflowPlan plan)
    {
        var step = plan.Step(call.Id.Step)!;
        if (call.Child is not null)
        {
            return true; // It is rolled back; what of it cannot be undone is said then.
        }

        var effect = step.OwnsCall ? step.Effect : plan.Tool(call.Tool)?.Spec.Effect;
        return effect?.Compensate is not null;
    }
}

/// <summary>The blast radius of a rollback.</summary>
/// <param name="To">Where it goes back to.</param>
/// <param name="Affected">Visits it takes back.</param>
/// <param name="Compensations">Effects it undoes, in order.</param>
/// <param name="Irreversible">Effects that nothing can undo: they make it refused, or are left with a person's consent.</param>
/// <param name="Orphans">Visits that were made from what it takes back and would stay: any makes it refused.</param>
public sealed record RollbackPreview(
    string To, IReadOnlyList<VisitKey> Affected, IReadOnlyList<string> Compensations, IReadOnlyList<string> Irreversible, IReadOnlyList<VisitKey> Orphans)
{
    /// <summary>Steps that it was narrowed to and does not touch: any makes it refused.</summary>
    public IReadOnlyList<string> Unaffected { get; init; } = [];
}
