using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>Which shared values a visit depends on: those it read itself, and those that anything its input was made from had read.</summary>
internal static class Freshness
{
    public static IReadOnlyList<(string Key, long Version)> Needs(ExecutionState state, WorkflowPlan plan, string effect)
    {
        if (!plan.ReadsShared || !EffectId.TryParse(effect, out var id) || !state.Visits.TryGetValue(id.Key, out var visit) || visit.Calls.Find(call => call.Id == id) is not { Runs: 0 } call)
        {
            return [];
        }

        var step = plan.Step(id.Step)!;
        var declared = step.OwnsCall ? step.Effect : plan.Tool(call.Tool)?.Spec.Effect ?? EffectSpec.None;
        return !declared.Fresh
            ? []
            : [.. Reads(state, visit).GroupBy(pair => pair.Read.Key, StringComparer.Ordinal).Select(group => (group.Key, group.Min(pair => pair.Read.Version)))];
    }

    /// <summary>Every read that a visit depends on, the oldest reader first.</summary>
    public static IEnumerable<(VisitState Reader, ReadValue Read)> Reads(ExecutionState state, VisitState visit) =>
        Sources(state, visit.Key).Append(visit.Key)
            .Select(key => state.Visits[key])
            .OrderBy(reader => reader.Ordinal)
            .SelectMany(reader => (reader.Shared?.Reads ?? []).Select(read => (reader, read)));

    /// <summary>The visits whose outputs went into a visit's input, directly or through others.</summary>
    public static HashSet<VisitKey> Sources(ExecutionState state, VisitKey key)
    {
        var seen = new HashSet<VisitKey>();
        var queue = new Queue<VisitKey>([key]);
        while (queue.TryDequeue(out var next))
        {
            var visit = state.Visits[next];
            foreach (var source in visit.ItemOf is { } parent ? visit.Reads.Append(parent) : visit.Reads)
            {
                if (source != key && seen.Add(source))
                {
                    queue.Enqueue(source);
                }
            }
        }

        return seen;
    }
}
