using System.Globalization;

namespace Omium.Kernel.Executions;

/// <summary>What is outstanding between parents and children.</summary>
internal static partial class PendingEffects
{
    private static void AddChildren(List<PendingEffect> pending, ExecutionState state)
    {
        if (state.Notice is { } notice)
        {
            pending.Add(new PendingEffect(string.Create(CultureInfo.InvariantCulture, $"parent~{notice.Number}"), PendingKind.TellParent, 0));
        }

        if (state.Status != ExecutionStatus.Cancelled)
        {
            return;
        }

        foreach (var call in state.Open.Values.SelectMany(key => state.Visits[key].Calls))
        {
            if (call is { Child: not null, Sandboxed: false, CancelSent: false, Status: CallStatus.Requested or CallStatus.Running })
            {
                pending.Add(new PendingEffect(call.Id.ToString(), PendingKind.CancelChild, 0));
            }
        }
    }
}
