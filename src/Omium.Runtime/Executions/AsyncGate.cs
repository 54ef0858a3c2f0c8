namespace Omium.Runtime.Executions;

/// <summary>
/// A lock that is awaited: one holder at a time, the others in the order they came. What waits is resumed on the context it waited on and never
/// hops threads in between, so that a scheduler that plays all threads itself sees every step (SemaphoreSlim with a cancellation token does not
/// keep to that).
/// </summary>
internal sealed class AsyncGate
{
    private readonly Lock _gate = new();
    private readonly LinkedList<TaskCompletionSource> _waiting = new();
    private bool _held;

    /// <summary>Takes the gate if nobody holds it.</summary>
    public bool TryEnter()
    {
        lock (_gate)
        {
            return !_held && (_held = true);
        }
    }

    /// <summary>Completes when the caller holds the gate. Throws <see cref="OperationCanceledException"/> when it is cancelled before.</summary>
    public ValueTask EnterAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        LinkedListNode<TaskCompletionSource> place;
        lock (_gate)
        {
            if (!_held)
            {
                _held = true;
                return ValueTask.CompletedTask;
            }

            place = _waiting.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        return cancellation.CanBeCanceled ? new ValueTask(WaitAsync(place, cancellation)) : new ValueTask(place.Value.Task);
    }

    /// <summary>Hands the gate to whoever has waited longest.</summary>
    public void Exit()
    {
        TaskCompletionSource? next;
        lock (_gate)
        {
            next = _waiting.First?.Value;
            if (next is null)
            {
                _held = false;
                return;
            }

            _waiting.RemoveFirst();
        }

        next.SetResult();
    }

    private async Task WaitAsync(LinkedListNode<TaskCompletionSource> place, CancellationToken cancellation)
    {
        await using var registration = cancellation.Register(() =>
        {
            lock (_gate)
            {
                if (place.List is null)
                {
                    return; // Its turn has come already.
                }

                _waiting.Remove(place);
            }

            place.Value.SetCanceled(cancellation);
        });
        await place.Value.Task;
    }
}
