using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Laws;

/// <summary>Laws of child workflows, on their parent's side: one child for one attempt, its news once, its rollback the step's compensation.</summary>
internal sealed partial class Chronicle
{
    /// <summary>What the execution, being a child, has not told its parent; null when it owes nothing or has no parent.</summary>
    public bool OwesNews { get; private set; }

    /// <summary>Whose child it is: the parent's execution and effect.</summary>
    public ParentLink? Parent { get; private set; }

    private bool _wasCancelled;
    private int _newsTold;

    /// <summary>Output, when it succeeded.</summary>
    public JsonElement? Output { get; private set; }

    /// <summary>Events that only parents and children have, and what is different where a call is a child. False: nothing of these.</summary>
    private bool ReadChildren(ExecutionEvent happened)
    {
        switch (happened)
        {
            case ChildRequested e:
                Requested(e);
                return true;
            case ChildStarted e:
                Law(_calls.TryGetValue(e.Effect, out var started) && started.IsChild, $"{e.Effect} is on record as begun and was never requested");
                return true;
            case ChildCancelSent e:
                Law(_wasCancelled, $"{e.Effect} was told to end while {Status}"); // A rollback may have begun since.
                return true;
            case CallSettled e when _calls.TryGetValue(e.Effect, out var call) && call.IsChild:
                Law(call.Happened == Happened.Perhaps, $"{e.Effect} was told about while it is {call.Happened}");
                call.Happened = e.Failure is null ? Happened.Yes : Happened.Failed;
                call.Result = e.Result is { } result ? Whole(result) : null;
                return true;
            case CompensationSettled e when _calls.TryGetValue(e.Effect, out var call) && call.IsChild:
                TakenBack(e, call);
                return true;
            case ParentNotified e:
                Law(OwesNews, "the parent was told and nothing was owed to it");
                Law(e.Notice > _newsTold, $"news {e.Notice} is on record as told after news {_newsTold}: that one of two arrived would drop the other");
                (OwesNews, _newsTold) = (false, e.Notice);
                return true;
            default:
                ReadAsChild(happened);
                return false;
        }
    }

    private void ReadAsChild(ExecutionEvent happened)
    {
        switch (happened)
        {
            case ExecutionStarted { Parent: { } parent }:
                Parent = parent;
                break;
            case ExecutionSucceeded e:
                (Output, OwesNews) = (e.Output is { } output ? Whole(output) : null, Parent is not null);
                break;
            case ExecutionFailed or ExecutionCancelled:
                OwesNews = Parent is not null;
                break;
            case ExecutionResumed:
                OwesNews = false; // It goes on: the news will be another.
                break;
            case RollbackCompleted when Parent is { } parent && _plan?.RequestId?.StartsWith($"{parent.Execution}/", StringComparison.Ordinal) == true:
                OwesNews = true;
                break;
        }
    }

    /// <summary>A value with everything it refers to in its place: parent and child keep different parts of it apart.</summary>
    private JsonElement Whole(JsonElement value)
    {
        var resolved = resolve(value);
        return resolved.ValueKind switch
        {
            JsonValueKind.Object => JsonMake.Object([.. resolved.EnumerateObject().Select(member => (member.Name, Whole(member.Value)))]),
            JsonValueKind.Array => JsonMake.Array(resolved.EnumerateArray().Select(Whole)),
            _ => resolved,
        };
    }

    private void Requested(ChildRequested e)
    {
        _ = EffectId.TryParse(e.Effect, out var id);
        var visit = Visit(id.Step, id.Visit);
        var requested = new CallRequested(e.Effect, e.Workflow, e.Input, e.InputDigest, EffectKind.Idempotent, e.Child, null, false, 0);
        var call = new CallFacts(requested, id, 1) { IsChild = true, Happened = Happened.Perhaps }; // Whether it has begun is not known from now on.
        Law(_calls.TryAdd(e.Effect, call), $"{e.Effect} was requested twice");
        Law(Workflow.Step(id.Step) is { Type: "workflow" } step && step.Performer == e.Workflow, $"{e.Effect} runs {e.Workflow}");
        Law(visit.Standing == Standing.Open && id.Attempt == visit.Attempt, $"{e.Effect} was requested while its visit is {visit.Standing} at attempt {visit.Attempt}");
        Law(!_calls.Values.Any(other => other != call && other.IsChild && other.Requested.Key == e.Child), $"{e.Effect} has the child of another attempt");
        visit.Calls.Add(call);
    }

    private void TakenBack(CompensationSettled e, CallFacts call)
    {
        Law(RemainingOf(e.Effect).FirstOrDefault() == e.Effect || !e.Done, $"{e.Effect} was taken back out of turn");
        Law(!e.Done || (!call.Undone && call.MayStand), $"{e.Effect} was taken back and is {call.Happened}{(call.Undone ? ", undone" : "")}");
        call.Undone |= e.Done;
        call.UndoTries = e.Attempt;
        if (e.Done || e.RetryDueMs is null)
        {
            RemainingOf(e.Effect).Remove(e.Effect);
        }
    }
}

/// <summary>What parents and children say of each other when everything has ended.</summary>
internal static class ChildLaws
{
    public static IEnumerable<string> AtTheEnd(IReadOnlyDictionary<string, Chronicle> chronicles, IReadOnlyDictionary<string, ForkStory> forks)
    {
        foreach (var chronicle in chronicles.Values)
        {
            if (chronicle.OwesNews)
            {
                yield return $"{chronicle.Stream.Id}: its parent was never told how it ended";
            }

            if (chronicle.Parent is { } parent && chronicle.Stream.Id != (forks.GetValueOrDefault(parent.Execution)?.Children.GetValueOrDefault(parent.Effect)
                ?? chronicles.GetValueOrDefault(parent.Execution)?.Calls.GetValueOrDefault(parent.Effect)?.Requested.Key))
            {
                yield return $"{chronicle.Stream.Id}: {parent.Execution}/{parent.Effect} did not ask for it";
            }

            foreach (var broken in chronicle.Calls.Values.Where(call => call.IsChild).SelectMany(call => Check(chronicle, call, chronicles.GetValueOrDefault(call.Requested.Key!))))
            {
                yield return broken;
            }
        }
    }

    private static bool IsSame(JsonElement? one, JsonElement? other) => one is { } known ? other is { } same && JsonElement.DeepEquals(known, same) : other is null;

    private static IEnumerable<string> Check(Chronicle parent, CallFacts call, Chronicle? child)
    {
        var name = $"{parent.Stream.Id}/{call.Id}";
        if (call is { Happened: Happened.Yes, Undone: false, Residue: false } && (child is not { Status: "succeeded" } || !IsSame(child.Output, call.Result)))
        {
            yield return $"{name} has the output of {call.Requested.Key}, which {child?.Status ?? "never began"}";
        }

        if (call is { Undone: true, Residue: false } && child is not null && (child.Status != "cancelled" || child.Calls.Values.Any(made => made.MayStand)))
        {
            yield return $"{name} was taken back, and {call.Requested.Key} is {child.Status}{(child.Calls.Values.Any(made => made.MayStand) ? " with effects that may stand" : "")}";
        }

        if (parent.Visits[call.Id.Key].Standing == Standing.TakenBack && call is { Undone: false, Residue: false })
        {
            yield return $"{name} was taken back and its child stands";
        }

        if (parent.Status == "cancelled" && child is { Ended: false })
        {
            yield return $"{name}: its parent was cancelled, and {call.Requested.Key} goes on";
        }
    }
}
