namespace Omium.Kernel.Executions;

internal static partial class PendingEffects
{
    /// <summary>A checkpoint that a process runs: when its lease is over, somebody else may run it. Nothing else of a traced execution is for a host to do.</summary>
    private static void AddLease(List<PendingEffect> pending, VisitState visit)
    {
        if (visit.Traced is { Owner: not null } use && use.Attempt == visit.Attempt)
        {
            pending.Add(new PendingEffect($"lease~{visit.Key}~{use.Run}", PendingKind.Timer, use.LeaseUntilMs));
        }
    }
}
