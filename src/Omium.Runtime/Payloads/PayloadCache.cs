using Omium.Runtime.Ports;

namespace Omium.Runtime.Payloads;

/// <summary>
/// Values read or written lately, the longest unused dropped first. Only a cache: content never changes under its key. Safe for use by many threads.
/// </summary>
/// <param name="bytesMax">Most bytes kept.</param>
internal sealed class PayloadCache(long bytesMax)
{
    private readonly Dictionary<(StreamId, string), LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _newestFirst = [];
    private readonly Lock _gate = new();
    private long _bytes;

    /// <summary>The value, or null.</summary>
    public byte[]? TryGet(StreamId stream, string key)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue((stream, key), out var node))
            {
                return null;
            }

            _newestFirst.Remove(node);
            _newestFirst.AddFirst(node);
            return node.Value.Value;
        }
    }

    /// <summary>Keeps a value, unless it is so large that it would drive out everything else.</summary>
    public void Add(StreamId stream, string key, byte[] value)
    {
        if (value.Length > bytesMax / 8)
        {
            return;
        }

        lock (_gate)
        {
            if (_entries.ContainsKey((stream, key)))
            {
                return;
            }

            _entries[(stream, key)] = _newestFirst.AddFirst(new Entry((stream, key), value));
            _bytes += value.Length;
            while (_bytes > bytesMax && _newestFirst.Last is { } oldest)
            {
                _newestFirst.RemoveLast();
                _entries.Remove(oldest.Value.Key);
                _bytes -= oldest.Value.Value.Length;
            }
        }
    }

    private readonly record struct Entry((StreamId Stream, string Key) Key, byte[] Value);
}
