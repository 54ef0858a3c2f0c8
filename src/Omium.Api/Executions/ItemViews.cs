using Omium.Contracts.Executions;
using Omium.Kernel.Executions;

namespace Omium.Api.Executions;

/// <summary>Items of for_each steps: counted with their step, listed a page at a time.</summary>
internal static class ItemViews
{
    /// <summary>The statuses a list of items may be asked for: those of any step.</summary>
    public static readonly string[] Statuses = ["scheduled", "running", "waiting", "in_doubt", "committed", "failed", "skipped", "rolled_back"];

    public static ItemCounts Counts(ExecutionState state, VisitState step)
    {
        var items = step.Items!;
        var undone = items.Failed.Count(index => Latest(state, step, index) is { } item && IsUndone(item));
        var waiting = OpenItems(state, step).Count(item => item.Review is not null);
        return new ItemCounts(
            items.Count, items.Succeeded, items.Failed.Count, undone, items.Skipped, items.Open, waiting,
            items.Count - items.Succeeded - items.Failed.Count - items.Skipped - items.Open);
    }

    /// <summary>What a step that waits for its items shows: running while any of them runs, else what they wait for.</summary>
    public static string StatusOf(ExecutionState state, VisitState step)
    {
        var statuses = OpenItems(state, step).Select(item => ExecutionViews.StatusOf(state, item)).Distinct().ToArray();
        return statuses.Contains("running") || statuses.Length == 0 ? "running" : statuses.Contains("in_doubt") ? "in_doubt" : "waiting";
    }

    /// <summary>Items from an index on, at most so many, and the index to go on from; null when there are no more.</summary>
    public static (IReadOnlyList<VisitState> Items, int? Next) Page(ExecutionState state, VisitState step, int from, int limit, string? status)
    {
        var page = new List<VisitState>();
        for (var index = from; index < (step.Items?.Next ?? 0); index++)
        {
            if (Latest(state, step, index) is not { } item || (status is not null && ExecutionViews.StatusOf(state, item) != status))
            {
                continue;
            }

            if (page.Count == limit)
            {
                return (page, index);
            }

            page.Add(item);
        }

        return (page, null);
    }

    /// <summary>Failed, and its effects do not stand any more: there were some, and each was undone.</summary>
    public static bool IsUndone(VisitState item) =>
        item.Status == VisitStatus.Failed && item.Calls.Any(call => call.Status == CallStatus.Compensated) && !item.Calls.Any(call => call.MayStand || call.Residue);

    private static IEnumerable<VisitState> OpenItems(ExecutionState state, VisitState step) =>
        state.Open.Values.Select(key => state.Visits[key]).Where(visit => visit.ItemOf == step.Key);

    /// <summary>The newest visit of an item within one visit of its step.</summary>
    private static VisitState? Latest(ExecutionState state, VisitState step, int index)
    {
        var name = ItemName.Of(step.Key.Step, index);
        for (var number = state.Latest.GetValueOrDefault(name); number > 0; number--)
        {
            if (state.Visits[new VisitKey(name, number)] is { } item && item.ItemOf == step.Key)
            {
                return item;
            }
        }

        return null;
    }
}
