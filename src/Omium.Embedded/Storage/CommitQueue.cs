using System.Numerics;

namespace Omium.Embedded.Storage;

/// <summary>
/// The one writer. Whatever waits when the writer is free goes into one transaction and one sync (group commit), so an operation that comes
/// alone starts at once, and many that come together share the cost. Callers are told only after the sync.
/// </summary>
/// <remarks>
/// <code>
/// callers --Enqueue--> [ waiting ] --writer thread--> BEGIN, Execute each, COMMIT (sync) --> Complete each
///                                                        | failure: ROLLBACK, then each alone --> Complete or Fail
/// </code>
/// </remarks>
internal sealed class CommitQueue : IDisposable
{
    /// <summary>Bounds of one transaction, so that no caller waits behind an endless one.</summary>
    private const int BatchOperationsMax = 4096;
    private const long BatchBytesMax = 16 * 1024 * 1024;

    private readonly Lock gate = new();
    private readonly SemaphoreSlim wake = new(0);
    private readonly CommitWriter writer;
    private readonly Thread thread;
    private readonly long[] batchSizes = new long[BitOperations.Log2(BatchOperationsMax) + 1];
    private List<ICommitOperation> waiting = [];
    private bool sleeping;
    private bool stopping;
    private long operations;
    private long operationsFailed;
    private long commits;
    private long batchOperationsMax;

    public CommitQueue(CommitWriter writer)
    {
        this.writer = writer;
        thread = new Thread(Work) { IsBackground = true, Name = "omium-commit" };
        thread.Start();
    }

    public long Operations => Volatile.Read(ref operations);

    public long OperationsFailed => Volatile.Read(ref operationsFailed);

    public long Commits => Volatile.Read(ref commits);

    public long LargestBatch => Volatile.Read(ref batchOperationsMax);

    public IReadOnlyList<long> BatchSizes => [.. batchSizes];

    /// <summary>
    /// Queues the operation. Its task ends when it is durable or has failed; a cancellation is heeded only before it is queued, because
    /// afterwards the answer is worth more than the wait.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public Task<TAnswer> Enqueue<TAnswer>(CommitOperation<TAnswer> operation, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return Task.FromCanceled<TAnswer>(cancellation);
        }

        bool mustWake;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(stopping, typeof(EmbeddedStore));
            waiting.Add(operation);
            mustWake = sleeping;
            sleeping = false;
        }

        if (mustWake)
        {
            wake.Release();
        }

        return operation.Task;
    }

    /// <summary>Takes no more, finishes what waits, and ends the writer.</summary>
    public void Dispose()
    {
        bool mustWake;
        lock (gate)
        {
            stopping = true;
            mustWake = sleeping;
            sleeping = false;
        }

        if (mustWake)
        {
            wake.Release();
        }

        thread.Join();
        wake.Dispose();
    }

    private void Work()
    {
        var taken = new List<ICommitOperation>();
        while (Take(ref taken))
        {
            for (var start = 0; start < taken.Count;)
            {
                var count = BatchLength(taken, start);
                Commit(taken, start, count);
                start += count;
            }

            taken.Clear();
        }
    }

    /// <summary>Exchanges the lists; waits while there is nothing. False at the end.</summary>
    private bool Take(ref List<ICommitOperation> taken)
    {
        while (true)
        {
            lock (gate)
            {
                if (waiting.Count > 0)
                {
                    (taken, waiting) = (waiting, taken);
                    return true;
                }

                if (stopping)
                {
                    return false;
                }

                sleeping = true;
            }

            wake.Wait();
        }
    }

    private static int BatchLength(List<ICommitOperation> taken, int start)
    {
        var bytes = taken[start].SizeBytes;
        var end = start + 1;
        while (end < taken.Count && end - start < BatchOperationsMax && (bytes += taken[end].SizeBytes) <= BatchBytesMax)
        {
            end++;
        }

        return end - start;
    }

    private void Commit(List<ICommitOperation> taken, int start, int count)
    {
        var failure = TryCommit(taken, start, count);
        if (failure is null)
        {
            Complete(taken, start, count);
        }
        else if (count == 1)
        {
            Fail(taken[start], failure);
        }
        else
        {
            CommitEachAlone(taken, start, count);
        }

        writer.CheckpointIfDue();
    }

    /// <summary>One operation may be too large for the space that is left, or broken: the others must not fail with it.</summary>
    private void CommitEachAlone(List<ICommitOperation> taken, int start, int count)
    {
        for (var i = start; i < start + count; i++)
        {
            var failure = TryCommit(taken, i, 1);
            if (failure is null)
            {
                Complete(taken, i, 1);
            }
            else
            {
                Fail(taken[i], failure);
            }
        }
    }

    private Exception? TryCommit(List<ICommitOperation> taken, int start, int count)
    {
        try
        {
            var erases = false;
            writer.Begin();
            for (var i = start; i < start + count; i++)
            {
                taken[i].Execute(writer);
                erases |= taken[i].Erases;
            }

            writer.Commit(erases);
            return null;
        }
        // Whatever it is, it belongs to the callers, and the writer must live for the others.
        catch (Exception failure)
        {
            return writer.TryRollback(failure);
        }
    }

    private void Complete(List<ICommitOperation> taken, int start, int count)
    {
        Volatile.Write(ref commits, commits + 1);
        Volatile.Write(ref operations, operations + count);
        Volatile.Write(ref batchOperationsMax, Math.Max(batchOperationsMax, count));
        batchSizes[BitOperations.Log2((uint)count)]++;
        for (var i = start; i < start + count; i++)
        {
            taken[i].Complete(writer);
        }
    }

    private void Fail(ICommitOperation operation, Exception failure)
    {
        Volatile.Write(ref operationsFailed, operationsFailed + 1);
        operation.Fail(failure);
    }
}
