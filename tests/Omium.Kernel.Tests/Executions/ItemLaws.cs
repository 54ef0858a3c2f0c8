using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Xunit;

namespace Omium.Kernel.Tests.Executions;

/// <summary>What must hold of the items of for_each steps, event by event.</summary>
internal static class ItemLaws
{
    public static void Check(ExecutionState before, RecordBody record, WorkflowPlan plan)
    {
        var state = before;
        foreach (var happened in record.Events)
        {
            var next = ExecutionKernel.Evolve(state, happened, record.Command.AtMs);
            CheckAlone(state, next, happened);
            state = next;
        }

        foreach (var visit in state.Visits.Values.Where(visit => visit is { Items: not null, Status: not VisitStatus.RolledBack }))
        {
            CheckCounts(state, visit, plan.Step(visit.Key.Step)!.Spec.ForEach!);
        }
    }

    /// <summary>An item that is undone alone leaves every other visit as it is.</summary>
    private static void CheckAlone(ExecutionState before, ExecutionState after, ExecutionEvent happened)
    {
        var item = happened switch
        {
            RollbackPlanned { Scope: RollbackScopes.Item } e => e.Then.Visit,
            CompensationSettled e when EffectId.TryParse(e.Effect, out var id) && id.Key.IsItem => id.Key,
            _ => null,
        };
        if (item is not { } key)
        {
            return;
        }

        Assert.True(happened is not RollbackPlanned planned || (planned.Affected.Count == 0 && planned.Compensations.All(effect => effect.StartsWith($"{key}~", StringComparison.Ordinal))),
            $"the rollback of {key} names what is not its own: {happened}");
        Assert.All(before.Visits.Where(visit => visit.Key != key), visit => Assert.True(ReferenceEquals(visit.Value, after.Visits[visit.Key]), $"{happened} touched {visit.Key}"));
    }

    /// <summary>The counts that a step keeps are those one would count, every item is in one of them, and no more are under way than may be.</summary>
    private static void CheckCounts(ExecutionState state, VisitState step, ForEachSpec spec)
    {
        var items = step.Items!;
        var standing = Enumerable.Range(0, items.Count)
            .Select(index => Standing(state, step.Key, ItemName.Of(step.Key.Step, index)))
            .Select((status, index) => status == VisitStatus.Failed && items.Again.Contains(index) ? null : status) // Failed, and its step is tried again.
            .ToArray();
        int Count(params VisitStatus?[] statuses) => standing.Count(status => statuses.Contains(status));
        Assert.Equal(
            (Count(VisitStatus.Open, VisitStatus.FailedAttempt), Count(VisitStatus.Committed), Count(VisitStatus.Skipped), Count(VisitStatus.Failed)),
            (items.Open, items.Succeeded, items.Skipped, items.Failed.Count));
        Assert.Equal(Enumerable.Range(0, items.Count).Where(index => standing[index] is null), items.Again.Concat(Enumerable.Range(items.Next, items.Count - items.Next)).Order());
        Assert.InRange(items.Open, 0, spec.ParallelMax);
        Assert.True(step.Status is VisitStatus.Open || items.Open == 0, $"{step.Key} is {step.Status} while items are under way"); // A person's override may commit it before all were begun.
    }

    /// <summary>Where an item stands in one visit of its step (a loop may have begun another one since); null when it was not begun or was taken back.</summary>
    private static VisitStatus? Standing(ExecutionState state, VisitKey step, string item) => Enumerable.Range(1, state.Latest.GetValueOrDefault(item))
        .Select(number => state.Visits[new VisitKey(item, number)])
        .LastOrDefault(visit => visit.ItemOf == step && visit.Status != VisitStatus.RolledBack)?.Status;
}
