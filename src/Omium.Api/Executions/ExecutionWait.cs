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
        ExecutionFeed.Listener listener, ExecutionCell cell, TimeSpan limit, ApiServices services, CancellationToken cancellation)
    {
        using var overtime = new CancellationTokenSource(limit, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, overtime.Token);
        try
        {
            while (!IsSettled(cell.State))
            {
                if (!await CameAsync(listener, services, either.Token))
                {
                    cell = await services.Advancer.FindAsync(cell.Stream, either.Token) ?? cell;
                }

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

    /// <summary>False when it is time to look at what other processes wrote.</summary>
    private static async ValueTask<bool> CameAsync(ExecutionFeed.Listener listener, ApiServices services, CancellationToken cancellation)
    {
        if (services.Options.LookEvery is not { } every)
        {
            return await listener.Items.WaitToReadAsync(cancellation);
        }

        using var due = new CancellationTokenSource(every, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, due.Token);
        try
        {
            return await listener.Items.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    private static bool IsSettled(ExecutionState state) =>
        state.Ended || state.Status == ExecutionStatus.Paused || ExecutionWords.WaitingFor(state) == "review";
}
