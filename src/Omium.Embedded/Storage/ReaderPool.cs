using System.Collections.Concurrent;

namespace Omium.Embedded.Storage;

/// <summary>
/// Read-only connections, each used by one thread at a time; made when all are busy, kept up to a bound. A read sees the snapshot of its
/// first step: all that was committed, and synced, before. It never waits for the writer.
/// </summary>
internal sealed class ReaderPool(string path, string vfs) : IDisposable
{
    private readonly ConcurrentBag<SqliteConnection> idle = [];
    private readonly int idleMax = Math.Max(4, Environment.ProcessorCount * 2);
    private readonly ReaderWriterLockSlim closing = new();
    private bool closed;

    /// <summary>Runs a read on the calling thread. A failure, and a cancellation before its start, end the task.</summary>
    public Task<TAnswer> Read<TQuery, TAnswer>(TQuery query, Func<SqliteConnection, TQuery, TAnswer> read, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return Task.FromCanceled<TAnswer>(cancellation);
        }

        try
        {
            return Task.FromResult(Run(query, read));
        }
        // The port promises a task: its failure is told there, whatever it is.
        catch (Exception failure)
        {
            return Task.FromException<TAnswer>(failure);
        }
    }

    public void Dispose()
    {
        closing.EnterWriteLock();
        closed = true;
        closing.ExitWriteLock();
        while (idle.TryTake(out var connection))
        {
            connection.Dispose();
        }
    }

    private TAnswer Run<TQuery, TAnswer>(TQuery query, Func<SqliteConnection, TQuery, TAnswer> read)
    {
        closing.EnterReadLock();
        try
        {
            ObjectDisposedException.ThrowIf(closed, typeof(EmbeddedStore));
            if (!idle.TryTake(out var connection))
            {
                connection = new SqliteConnection(path, vfs, readOnly: true);
            }

            try
            {
                return read(connection, query);
            }
            finally
            {
                if (idle.Count < idleMax)
                {
                    idle.Add(connection);
                }
                else
                {
                    connection.Dispose();
                }
            }
        }
        finally
        {
            closing.ExitReadLock();
        }
    }
}
