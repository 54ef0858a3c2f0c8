using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Omium.Azure.Storage;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Azure.Lifecycle;

/// <summary>
/// Publishes lifecycle events from the log: what is in the log and marked in the outbox is sent, in the order of each stream, and marked as published
/// only after it was taken.
/// </summary>
/// <remarks>
/// Guarantees: nothing is published that was not committed, as only committed records are read; everything committed is published at least once,
/// however often the process dies; the first message of each event comes after those of all earlier events of its execution; a repeated
/// message has the same id and bytes. Any number of processes may publish at the same time: then repetitions are more frequent.
/// </remarks>
public sealed partial class LifecyclePublisher(Outbox outbox, IEventLog log, IKeyWrap keys, ILifecycleSender sender, ILogger<LifecyclePublisher> logger)
{
    private const int PageRecords = 200;

    /// <summary>Publishes until nothing is marked that can be published now.</summary>
    public async Task<PublishReport> RunOnceAsync(CancellationToken cancellation = default)
    {
        int sent = 0, held = 0;
        OutboxEntry? after = null;
        while (await outbox.ListAsync(after, cancellation) is { Count: > 0 } entries)
        {
            foreach (var entry in entries)
            {
                try
                {
                    sent += await PublishAsync(entry, cancellation);
                }
                catch (Exception error) when (error is LifecycleUnsentException or StorageException)
                {
                    held++; // The stream waits as it is; the others go on.
                    LogHeld(logger, entry.Stream, error);
                }

                after = entry;
            }
        }

        return new PublishReport(sent, held);
    }

    private async Task<int> PublishAsync(OutboxEntry entry, CancellationToken cancellation)
    {
        var (sent, published) = (0, entry.From - 1);
        while (true)
        {
            var records = await log.ReadAsync(entry.Stream, published, PageRecords, cancellation);
            foreach (var record in records)
            {
                try
                {
                    foreach (var message in LifecycleMessages.Of(entry.Stream, record, await OpenAsync(entry.Stream, record, cancellation)))
                    {
                        await sender.SendAsync(message, cancellation);
                        sent++;
                    }
                }
                catch (LifecycleUnsentException)
                {
                    await outbox.PublishedAsync(entry, published, isEnd: false, cancellation);
                    throw;
                }

                published = record.Seq;
            }

            if (records.Count < PageRecords)
            {
                await outbox.PublishedAsync(entry, published, isEnd: true, cancellation);
                return sent;
            }
        }
    }

    private async ValueTask<RecordBody?> OpenAsync(StreamId stream, LogRecord record, CancellationToken cancellation)
    {
        if (!LifecycleMessages.HasDetails(record) || await log.ReadKeyAsync(stream, cancellation) is not { } wrapped)
        {
            return null;
        }

        try
        {
            return RecordCodec.Decode(stream, record, keys.Unwrap(wrapped));
        }
        catch (CryptographicException error)
        {
            // Published all the same: that something happened is known, though not what.
            LogSealed(logger, stream, record.Seq, error);
            return null;
        }
    }

    [LoggerMessage(3001, LogLevel.Warning, "Lifecycle events of {Stream} are held back and will be sent again")]
    private static partial void LogHeld(ILogger logger, StreamId stream, Exception error);

    [LoggerMessage(3002, LogLevel.Error, "Record {Seq} of {Stream} cannot be opened; its lifecycle events are published without details")]
    private static partial void LogSealed(ILogger logger, StreamId stream, long seq, Exception error);
}

/// <summary>What a round came to.</summary>
/// <param name="Sent">Messages that were taken.</param>
/// <param name="Held">Streams that wait, because a message was not taken or the store did not answer.</param>
public readonly record struct PublishReport(int Sent, int Held);
