using Omium.Kernel.Executions;
using Omium.Runtime.Executions;

namespace Omium.Api.Executions;

/// <summary>Waits until an execution does nothing more by itself.</summary>
internal static class ExecutionWait
{
    /// <summary>
    /// True, with the cell as it then is, as soon as it has ended, is paused or waits for a person; false when the time is over before.
    /// <paramref name="listener"/> must have been listening before the state was read for the first time. The cell is found again each time,
    /// because a cache may have dropped the one at hand.
    /// </summary>
    public static async Task<(bool IsSettled, ExecutionCell Cell)> UntilSettledAsync(
        ExecutionFeed.Listener listener, ExecutionCell cell, Advancer advancer, TimeSpan limit, TimeProvider time, CancellationToken cancellation)
    {
        using var overtime = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, overtime.Token);
        try
        {
            while (!IsSettled(cell.State))
            {
                await listener.Items.WaitToReadAsync(either.Token);
                while (listener.Items.TryRead(out _))
                {
                    // The state says more than the records do; they are only the reason to look.
                }

                if (!IsSettled(cell.State))
                {
                    cell = await advancer.FindAsync(cell.Stream, either.Token) ?? cell;
                }
            }

            return (true, cell);
        }
        catch (OperationCanceledException) when (overtime.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return (IsSettled(cell.State), cell);
        }
    }

    private static bool IsSettled(ExecutionState state) =>
        state.Ended || state.Status == ExecutionStatus.Paused || ExecutionWords.WaitingFor(state) == "review";
}
