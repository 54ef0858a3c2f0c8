namespace Omium.Runtime.Executions;

/// <summary>Counts work that nobody awaits, so that a host that stops closes nothing under it.</summary>
public sealed class WorkUnderWay
{
    private readonly Lock _gate = new();
    private int _count;
    private TaskCompletionSource? _idle;

    /// <summary>A piece of work begins; it has ended when the answer is disposed of.</summary>
    public Piece Begin()
    {
        lock (_gate)
        {
            _count++;
        }

        return new Piece(this);
    }

    /// <summary>
    /// Waits until nothing is under way, at most <paramref name="timeMax"/>, of real time: a stop must come to an end whatever clock its host keeps. True:
    /// nothing is.
    /// </summary>
    public async Task<bool> WaitAsync(TimeSpan timeMax)
    {
        Task idle;
        lock (_gate)
        {
            if (_count == 0)
            {
                return true;
            }

            idle = (_idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        await Task.WhenAny(idle, Task.Delay(timeMax, TimeProvider.System));
        return idle.IsCompleted;
    }

    private void End()
    {
        lock (_gate)
        {
            if (--_count == 0)
            {
                _idle?.SetResult();
                _idle = null;
            }
        }
    }

    /// <summary>A piece of work. Disposed of once.</summary>
    public readonly struct Piece(WorkUnderWay work) : IDisposable
    {
        /// <summary>It has ended.</summary>
        public void Dispose() => work.End();
    }
}
