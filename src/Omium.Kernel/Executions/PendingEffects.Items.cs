using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

internal static partial class PendingEffects
{
    /// <summary>A for_each step that can list, begin or conclude something owes a decision; normally the one that settled an item has done so already.</summary>
    private static void AddItems(List<PendingEffect> pending, VisitState visit, ForEachSpec spec, bool awaitsCredits)
    {
        if (visit.Items is not { } items || (items.Due(spec) is not null && !awaitsCredits) || items.IsSettled(spec))
        {
            pending.Add(new PendingEffect($"items~{visit.Key}", PendingKind.Timer, 0));
        }
    }

    /// <summary>The next compensation of a rollback; none while the outcome of what it would undo is not known.</summary>
    private static void AddCompensation(List<PendingEffect> pending, RollbackState rollback, VisitState visit)
    {
        if (rollback.Remaining.FirstOrDefault() is { } next && EffectId.TryParse(next, out var id) && visit.Calls.Find(call => call.Id == id) is { MayStand: true, IsTraced: false } call)
        {
            pending.Add(Undoing(call));
        }
    }
}
