using System.Collections.Concurrent;
using System.Threading.Channels;
using Omium.Kernel.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Executions;

/// <summary>One thing that happened while somebody listened: a record, or a piece of a model's answer as it streams in.</summary>
/// <param name="Cell">The execution as it stands.</param>
/// <param name="Record">The record's envelope; null for a delta.</param>
/// <param name="Body">The record's body; null for a delta, and for a record too large to be kept for slow listeners: read it from the log.</param>
/// <param name="Effect">Delta: the local id of the model's turn.</param>
/// <param name="Delta">Delta: text.</param>
public readonly record struct FeedItem(ExecutionCell Cell, LogRecord? Record, RecordBody? Body, string? Effect, string? Delta);

/// <summary>
/// Hands records to those who listen to an execution, as they are appended by this process. No polling. A slow listener loses its oldest
/// items, never the newest: it sees the gap in the sequence numbers and reads the log.
/// </summary>
public sealed class ExecutionFeed
{
    /// <summary>Items kept for one listener.</summary>
    public const int ItemsMax = 256;

    /// <summary>A record of more bytes is announced without its body. So a listener keeps at most 256 x 16 KiB = 4 MiB, however slow it is.</summary>
    public const int BodyBytesMax = 16 * 1024;

    private readonly ConcurrentDictionary<StreamId, Listener[]> _listeners = new();
    private readonly Lock _admission = new();
    private readonly Dictionary<string, int> _streamsByTenant = new(StringComparer.Ordinal);
    private int _count, _streams;

    /// <summary>Listens to a writer.</summary>
    public ExecutionFeed(Advancer advancer) => advancer.Appended += (cell, record, body) => 
        Publish(cell.Stream, new FeedItem(cell, record, record.Body.Length <= BodyBytesMax ? body : null, null, null));

    /// <summary>How many listen.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Begins to listen; dispose it to stop. Records appended from now on arrive; read the log for those before.</summary>
    public Listener Listen(StreamId stream) => Add(new Listener(this, stream, false));

    /// <summary>The same for a stream that stays open as long as its reader likes: null when so many are open, in all or of its tenant.</summary>
    public Listener? TryListen(StreamId stream, int streamsMax, int streamsOfTenantMax)
    {
        lock (_admission)
        {
            var ofTenant = _streamsByTenant.GetValueOrDefault(stream.Tenant);
            if (_streams >= streamsMax || ofTenant >= streamsOfTenantMax)
            {
                return null;
            }

            _streams++;
            _streamsByTenant[stream.Tenant] = ofTenant + 1;
        }

        return Add(new Listener(this, stream, true));
    }

    private Listener Add(Listener listener)
    {
        var stream = listener.Stream;
        Interlocked.Increment(ref _count);
        _listeners.AddOrUpdate(stream, _ => [listener], (_, known) => [.. known, listener]);
        return listener;
    }

    /// <summary>Hands a piece of an answer on. Pieces are a courtesy: a listener that is behind does not get them.</summary>
    public void PublishDelta(ExecutionCell cell, string effect, string delta) => Publish(cell.Stream, new FeedItem(cell, null, null, effect, delta));

    private void Publish(StreamId stream, FeedItem item)
    {
        if (Count == 0 || !_listeners.TryGetValue(stream, out var listeners))
        {
            return;
        }

        foreach (var listener in listeners)
        {
            listener.Offer(item);
        }
    }

    private void Remove(Listener listener)
    {
        while (_listeners.TryGetValue(listener.Stream, out var known))
        {
            Listener[] rest = [.. known.Where(other => other != listener)];
            if (rest.Length == known.Length)
            {
                return; // Disposed before.
            }

            var isDone = rest.Length == 0
                ? _listeners.TryRemove(new KeyValuePair<StreamId, Listener[]>(listener.Stream, known))
                : _listeners.TryUpdate(listener.Stream, rest, known);
            if (isDone)
            {
                Interlocked.Decrement(ref _count);
                Release(listener);
                return;
            }
        }
    }

    private void Release(Listener listener)
    {
        if (!listener.IsStream)
        {
            return;
        }

        lock (_admission)
        {
            _streams--;
            if (--_streamsByTenant[listener.Stream.Tenant] == 0)
            {
                _streamsByTenant.Remove(listener.Stream.Tenant);
            }
        }
    }

    /// <summary>One who listens.</summary>
    public sealed class Listener : IDisposable
    {
        private readonly ExecutionFeed _feed;
        private readonly Channel<FeedItem> _channel = Channel.CreateBounded<FeedItem>(
            new BoundedChannelOptions(ItemsMax) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

        internal Listener(ExecutionFeed feed, StreamId stream, bool isStream) => (_feed, Stream, IsStream) = (feed, stream, isStream);

        /// <summary>True for one that was admitted as an open stream and counts as one.</summary>
        internal bool IsStream { get; }

        /// <summary>The execution.</summary>
        public StreamId Stream { get; }

        /// <summary>What arrives.</summary>
        public ChannelReader<FeedItem> Items => _channel.Reader;

        /// <inheritdoc/>
        public void Dispose() => _feed.Remove(this);

        internal void Offer(FeedItem item)
        {
            if (item.Record is not null || _channel.Reader.Count < ItemsMax / 2)
            {
                _channel.Writer.TryWrite(item);
            }
        }
    }
}
