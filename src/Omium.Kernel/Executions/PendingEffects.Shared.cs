namespace Omium.Kernel.Executions;

/// <summary>What a visit shares with other executions: to be gathered, prepared, settled, taken back.</summary>
internal static partial class PendingEffects
{
    /// <summary>Of an open visit: true when nothing else of it may begin before.</summary>
    private static bool AddShared(List<PendingEffect> pending, VisitState visit)
    {
        if (visit.Shared is not { } shared)
        {
            return false;
        }

        if (shared.Writing is { } writing)
        {
            pending.Add(new PendingEffect(EffectId.Shared(visit.Key, writing.Attempt, 'p', shared.WriteRound).ToString(), PendingKind.Prepare, 0));
            return true;
        }

        if (shared.Gathering)
        {
            pending.Add(new PendingEffect(EffectId.Shared(visit.Key, visit.Attempt, 'g', shared.Gathers).ToString(), PendingKind.Gather, 0));
        }

        return shared.Gathering;
    }

    /// <summary>Of visits that are done, whatever has become of the execution.</summary>
    private static void AddSharing(List<PendingEffect> pending, ExecutionState state)
    {
        VisitState? restored = null;
        foreach (var (_, key) in state.Sharing)
        {
            var visit = state.Visits[key];
            if (ExecutionEvolver.OwesRestore(visit) && (restored is null || visit.CommitOrdinal > restored.CommitOrdinal))
            {
                restored = visit; // The newest first, also while it is not settled itself: what it wrote may hide what an older one wrote.
            }

            if (state.GivesBack(visit) && OwesSettlement(visit.Shared!))
            {
                pending.Add(new PendingEffect(EffectId.Shared(key, visit.Attempt, 's', Math.Max(visit.Shared!.Gathers, 1)).ToString(), PendingKind.SettleSharing, 0));
            }
        }

        if (restored is not null && state.GivesBack(restored) && !OwesSettlement(restored.Shared!))
        {
            pending.Add(new PendingEffect(EffectId.Shared(restored.Key, restored.Attempt, 'w').ToString(), PendingKind.Restore, 0));
        }
    }

    /// <summary>True while locks are not given back or the outcome of writes is not known under every root.</summary>
    internal static bool OwesSettlement(SharedUse shared) =>
        shared.Locks is LockPhase.Requested or LockPhase.Held or LockPhase.Yielded || (shared.WriteKeys.Count > 0 && !shared.WritesSettled);
}
