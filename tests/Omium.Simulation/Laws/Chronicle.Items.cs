using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Laws;

/// <summary>
/// Laws of items: the list is fixed once, each item is done once, not more than so many at a time, one that failed is undone alone, and the step says
/// in the end what became of each.
/// </summary>
internal sealed partial class Chronicle
{
    private readonly Dictionary<VisitKey, int> _lists = [];
    private readonly Dictionary<int, (RollbackPlanned Plan, VisitKey Item, List<string> Remaining)> _itemPlans = [];

    /// <summary>True for the visit of a step that lists items, not for the items' own.</summary>
    private bool Expands(VisitKey key) => !ItemNames.IsItem(key.Step) && Workflow.Step(key.Step)?.Items is not null;

    private IEnumerable<VisitFacts> ItemsOf(VisitKey parent) => _visits.Values.Where(visit => visit.Parent == parent);

    private void Expanded(ItemsExpanded e)
    {
        var key = new VisitKey(e.Step, e.Visit);
        Law(Visit(e.Step, e.Visit).Standing == Standing.Open, $"{key} made its list while it is {Visit(e.Step, e.Visit).Standing}");
        Law(_lists.TryAdd(key, e.Count), $"{key} made its list twice");
        Law(e.Count == Workflow.Step(e.Step)!.Items!.Count, $"{key} lists {e.Count} items of {Workflow.Step(e.Step)!.Items!.Count}");
        Law(e.Chunks.Sum(chunk => resolve(chunk.Items).GetArrayLength()) == e.Count, $"the list of {key} is not whole");
    }

    /// <summary>An item begins: in the order of the list, once, beside no more than its step allows.</summary>
    private void ItemScheduled(StepScheduled e)
    {
        var parent = e.After is [var only] ? only : default;
        Law(parent.Step == ItemNames.StepOf(e.Step), $"{e.Step}~{e.Visit} does not belong to its step");
        var step = Visit(parent.Step, parent.Visit);
        var drawn = Workflow.Step(e.Step)!.Items!;
        Law(step.Standing == Standing.Open, $"{e.Step}~{e.Visit} began while its step is {step.Standing}");
        Law(Status == "running", $"{e.Step}~{e.Visit} began while {Status}");
        var index = ItemNames.IndexOf(e.Step);
        Law(index < _lists.GetValueOrDefault(parent), $"{e.Step}~{e.Visit} is not on the list");
        var items = ItemsOf(parent).Where(item => item.Standing != Standing.TakenBack).ToArray();
        var before = items.Where(item => item.Step == e.Step).MaxBy(item => item.Visit);
        Law(before is null or { Standing: Standing.Failed }, $"{e.Step}~{e.Visit} began though {before?.Key} is {before?.Standing}");
        Law(before is null || step.Attempt > before.ParentAttempt, $"{e.Step}~{e.Visit} began again in the same attempt of its step");
        var below = Enumerable.Range(0, index).Where(other => ItemsOf(parent).All(item => ItemNames.IndexOf(item.Step) != other));
        Law(!below.Any(), $"{e.Step}~{e.Visit} began before item {below.FirstOrDefault()}");
        Law(items.Count(item => item.Standing is Standing.Open or Standing.Failing) < drawn.ParallelMax, $"{e.Step}~{e.Visit} is one too many under way");
        if (drawn.OnFailure == "fail_step")
        {
            Law(!items.Any(item => item.Standing == Standing.Failed && item.ParentAttempt == step.Attempt), $"{e.Step}~{e.Visit} began though an item has failed");
        }
    }

    /// <summary>What an item did is undone before it counts as failed, unless the step fails by it, or the execution is over.</summary>
    private void CheckUndone(VisitFacts item)
    {
        if (item.Parent is null || Ended || Workflow.Step(item.Step)!.Items!.OnFailure == "fail_step")
        {
            return;
        }

        foreach (var call in item.Calls.Where(call => call is { MayStand: true, Unsettled: false }))
        {
            Law(false, $"{item.Key} counts as failed while {call.Id} stands");
        }
    }

    /// <summary>A for_each step commits: every item is settled, and its output says so.</summary>
    private void CheckItems(VisitFacts step, JsonElement output)
    {
        var drawn = Workflow.Step(step.Step)!.Items!;
        var latest = ItemsOf(step.Key).Where(item => item.Standing != Standing.TakenBack).GroupBy(item => item.Step).Select(item => item.MaxBy(visit => visit.Visit)!).ToArray();
        var (succeeded, failed) = (latest.Count(item => item.Standing == Standing.Committed), latest.Count(item => item.Standing == Standing.Failed));
        Law(latest.Length == drawn.Count && latest.All(item => item.Settled), $"{step.Key} was committed with {latest.Count(item => item.Settled)} of {drawn.Count} items settled");
        Law(failed == 0 || drawn.OnFailure != "fail_step", $"{step.Key} was committed though an item failed");
        Law(failed <= drawn.Count * drawn.FailedRatioMax, $"{step.Key} was committed with {failed} of {drawn.Count} items failed");
        Law(Member(output, "total") == drawn.Count && Member(output, "succeeded") == succeeded && Member(output, "failed") == failed, $"{step.Key} says something else than its items: {succeeded} succeeded, {failed} failed");
        foreach (var told in output.GetProperty("items").EnumerateArray())
        {
            var item = latest.FirstOrDefault(item => ItemNames.IndexOf(item.Step) == told.GetProperty("index").GetInt32());
            var same = item?.Standing != Standing.Committed || JsonElement.DeepEquals(resolve(told.GetProperty("output")), item.Output!.Value);
            Law(item is not null && same, $"{step.Key} tells another output of {item?.Key} than it committed");
        }
    }

    /// <summary>Another attempt of the step: what its failed items did is undone.</summary>
    private void CheckItemsRetried(VisitFacts step)
    {
        foreach (var call in ItemsOf(step.Key).Where(item => item.Standing == Standing.Failed).SelectMany(item => item.Calls).Where(call => call.MayStand))
        {
            Law(ByPerson, $"{step.Key} is tried again on top of {call.Id}");
        }
    }

    private void PlannedForItem(RollbackPlanned e)
    {
        var key = e.Then.Visit!.Value;
        var item = Visit(key.Step, key.Visit);
        Law(item.Parent is not null && item.Standing == Standing.Failing, $"rollback {e.Rollback} is for {key}, which is {item.Standing}");
        Law(!_itemPlans.Values.Any(plan => plan.Item == key), $"rollback {e.Rollback} began while another undoes {key}");
        foreach (var effect in e.Compensations)
        {
            Law(_calls[effect].Id.Key == key && _calls[effect].MayStand, $"rollback {e.Rollback} of {key} undoes {effect}, which is {_calls[effect].Happened}");
        }

        EverListed.UnionWith(e.Compensations);
        _itemPlans[e.Rollback] = (e, key, [.. e.Compensations]);
    }

    private bool CompletedForItem(RollbackCompleted e)
    {
        if (!_itemPlans.Remove(e.Rollback, out var plan))
        {
            return false;
        }

        Law(plan.Remaining.Count == 0, $"rollback {e.Rollback} is complete while {string.Join(", ", plan.Remaining)} remain");
        Law(plan.Plan.Compensations.All(effect => !_calls[effect].MayStand), $"rollback {e.Rollback} is complete and something of it may stand");
        return true;
    }

    /// <summary>What the rollback that undoes a call has still to undo: its item's own, or the execution's.</summary>
    private List<string> RemainingOf(string effect) => _itemPlans.Values.Select(plan => plan.Remaining).FirstOrDefault(remaining => remaining.Contains(effect)) ?? _remaining;
}
