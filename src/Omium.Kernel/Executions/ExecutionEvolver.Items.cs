namespace Omium.Kernel.Executions;

/// <summary>Items of for_each steps: every event of an item also moves the counts of its step.</summary>
internal static partial class ExecutionEvolver
{
    private static ExecutionState Expanded(ExecutionState state, ItemsExpanded e)
    {
        var known = Visit(state, new(e.Step, e.Visit));
        return known.Items is not null
            ? throw new CorruptLogException($"the items of {known.Key} were listed twice")
            : With(state, known.Key, v => v with { Items = new ItemsState(e.Count, e.Chunks) });
    }

    /// <summary>The item whose standing an event may change; null for every other event.</summary>
    private static VisitKey? ItemOf(ExecutionEvent happened)
    {
        var key = happened switch
        {
            StepScheduled e => new VisitKey(e.Step, e.Visit),
            StepCommitted e => new VisitKey(e.Step, e.Visit),
            StepFailed { Final: true } e => new VisitKey(e.Step, e.Visit),
            StepGivenUp e => new VisitKey(e.Step, e.Visit),
            StepSkipped e => new VisitKey(e.Step, e.Visit),
            _ => default,
        };
        return key.Step is not null && key.IsItem ? key : null;
    }

    /// <summary>Counts an item whose standing may have changed: it leaves the count it was in and enters the one it is in now.</summary>
    private static ExecutionState Counted(ExecutionState before, ExecutionState after, VisitKey item)
    {
        var (was, now) = (StandingOf(before.Visits.GetValueOrDefault(item)), StandingOf(after.Visits[item]));
        if (was == now || after.Visits[item].ItemOf is not { } key || !ItemName.TryRead(item.Step, out _, out var index))
        {
            return after;
        }

        var visit = Visit(after, key);
        var items = visit.Items ?? throw new CorruptLogException($"{item} is an item of a visit whose items are not known");
        return visit.Status == VisitStatus.RolledBack
            ? after
            : after with { Visits = after.Visits.Set(visit with { Items = Entered(Left(items, was, index), now, index) }) };
    }

    private static ItemsState Left(ItemsState items, ItemStanding was, int index) => was switch
    {
        ItemStanding.None when items.Again.Contains(index) => items with { Again = items.Again.Remove(index) },
        ItemStanding.None when items.Next == index => items with { Next = index + 1 },
        ItemStanding.None => throw new CorruptLogException($"item {index} was begun out of its turn"),
        ItemStanding.Open => items with { Open = items.Open - 1 },
        ItemStanding.Succeeded => items with { Succeeded = items.Succeeded - 1 },
        ItemStanding.Skipped => items with { Skipped = items.Skipped - 1 },
        _ => items with { Failed = items.Failed.Remove(index) },
    };

    private static ItemsState Entered(ItemsState items, ItemStanding now, int index) => now switch
    {
        ItemStanding.None => items with { Again = items.Again.Add(index) },
        ItemStanding.Open => items with { Open = items.Open + 1 },
        ItemStanding.Succeeded => items with { Succeeded = items.Succeeded + 1 },
        ItemStanding.Skipped => items with { Skipped = items.Skipped + 1 },
        _ => items with { Failed = items.Failed.Add(index) },
    };

    private static ItemStanding StandingOf(VisitState? visit) => visit?.Status switch
    {
        null or VisitStatus.RolledBack => ItemStanding.None,
        VisitStatus.Committed => ItemStanding.Succeeded,
        VisitStatus.Skipped => ItemStanding.Skipped,
        VisitStatus.Failed => ItemStanding.Failed,
        _ => ItemStanding.Open,
    };

    /// <summary>Another attempt of the step begins its failed items again; those that committed stand.</summary>
    private static ItemsState? TriedAgain(ItemsState? items) => items is null ? null : items with { Again = items.Again.Union(items.Failed), Failed = [] };

    private static ExecutionState PlannedForItem(ExecutionState state, RollbackPlanned e)
    {
        var key = e.Then.Visit ?? throw new CorruptLogException("the rollback of an item names no item");
        return With(state, key, v => v with { Rollback = new RollbackState(e, [.. e.Compensations]) }) with { Rollbacks = e.Rollback };
    }

    private static ExecutionState Completed(ExecutionState state, RollbackCompleted e)
    {
        if (state.Rollback?.Plan.Rollback == e.Rollback)
        {
            return OwingRollback(state, state.Rollback) with
            {
                Rollback = null,
                Status = state.Status != ExecutionStatus.RollingBack ? state.Status : state.Rollback.WasPaused ? ExecutionStatus.Paused : ExecutionStatus.Running,
            };
        }

        foreach (var key in state.Open.Values)
        {
            if (state.Visits[key].Rollback?.Plan.Rollback == e.Rollback)
            {
                return With(state, key, v => v with { Rollback = null });
            }
        }

        throw new CorruptLogException($"rollback {e.Rollback} ended and was not under way");
    }

    private enum ItemStanding
    {
        None,
        Open,
        Succeeded,
        Skipped,
        Failed,
    }
}
