namespace Omium.Kernel.Executions;

internal static partial class PendingEffects
{
    /// <summary>Credits that an execution waits for.</summary>
    private static void AddCredits(List<PendingEffect> pending, ExecutionState state)
    {
        if (state is { Status: ExecutionStatus.Running, Credits.Requested: { } requested })
        {
            pending.Add(new PendingEffect($"credits~{requested.Round}", PendingKind.Reserve, 0));
        }
    }
}
