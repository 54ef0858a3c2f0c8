using Omium.Kernel.Executions;
using Omium.Runtime.Executions;

namespace Omium.Api.Executions;

/// <summary>Waits until an execution does nothing more by itself.</summary>
internal static class ExecutionWait
{
    /// <summary>
    /// Returns as soon as it has ended, is paused or waits for a person, or when the time is over, with the execution as it then stands.
    /// <paramref name="listener"/> must have been listening before the state was read for the first time.
    /// </summary>
    public static async Task<(ExecutionCell Cell, bool IsSettled)> UntilSettledAsync(
        ExecutionFeed.Listener listener, ExecutionCell cell, TimeSpan limit, TimeProvider time, CancellationToken cancellation)
    {
        using var overtime = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, overtime.Token);
        try
        {
            while (!IsSettled(cell.State))
            {
                await listener.Items.WaitToReadAsync(either.Token);
                while (listener.Items.TryRead(out var item))
                {
                    cell = item.Cell; // A cell is only a cache: the one that was started with may have been replaced.
                }
            }
        }
        catch (OperationCanceledException) when (overtime.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            // The time is over: the execution is answered as it stands.
        }

        return (cell, IsSettled(cell.State));
    }

    private static bool IsSettled(ExecutionState state) =>
        state.Ended || state.Status == ExecutionStatus.Paused || ExecutionWords.WaitingFor(state) == "review";
}
