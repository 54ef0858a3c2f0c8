using Omium.Runtime.Ports;
using Omium.Simulation.Scheduling;

namespace Omium.Simulation.Storage;

/// <summary>
/// The medium: what is synced survives, what is only written is lost with the machine. Writes wait in a queue and become visible, in order, when a
/// sync comes; a reader never sees what is not synced.
/// </summary>
internal sealed class SimulatedStore
{
    private readonly List<Write> _written = [];
    private readonly Dictionary<StreamId, List<LogRecord>> _streams = [];
    private readonly Dictionary<StreamId, byte[]> _keys = [];
    private readonly Dictionary<(string Tenant, string Scope, string Key), byte[]> _payloads = [];
    private readonly Dictionary<DocumentKey, StoredDocument> _documents = [];
    private readonly SortedDictionary<(string Kind, string Id), IndexRow> _rows = new(Comparer<(string Kind, string Id)>.Create(
        (left, right) => string.CompareOrdinal(left.Kind, right.Kind) is var order and not 0 ? order : string.CompareOrdinal(left.Id, right.Id)));

    /// <summary>Called for each record that became durable, in order.</summary>
    public Action<StreamId, LogRecord>? Synced { get; set; }

    /// <summary>Streams in the order they were begun.</summary>
    public List<StreamId> Streams { get; } = [];

    /// <summary>Records that were acknowledged to a writer: they must be there for ever.</summary>
    public HashSet<(StreamId Stream, long Seq, string AppendId)> Acknowledged { get; } = [];

    public bool HasUnsynced => _written.Count > 0;

    /// <summary>Written, not yet durable.</summary>
    public void Write(Write write) => _written.Add(write);

    /// <summary>Everything written so far becomes durable, in the order of writing.</summary>
    public void Sync()
    {
        foreach (var write in _written.ToArray())
        {
            write.Apply(this);
        }

        _written.Clear();
    }

    /// <summary>A process died: what it had written reaches the disk or does not.</summary>
    public void LoseWriter(SimulatedProcess process, Dice dice)
    {
        foreach (var write in _written.Where(write => write.Process == process).ToArray())
        {
            _written.Remove(write);
            if (dice.OneIn(2))
            {
                write.Apply(this);
            }
        }
    }

    /// <summary>The machine died: what is not synced is gone.</summary>
    public int LosePower()
    {
        var lost = _written.Count;
        _written.Clear();
        return lost;
    }

    public IReadOnlyList<LogRecord> Records(StreamId stream) => _streams.TryGetValue(stream, out var records) ? records : [];

    public byte[]? Key(StreamId stream) => _keys.GetValueOrDefault(stream);

    public byte[]? Payload(string tenant, string scope, string key) => _payloads.GetValueOrDefault((tenant, scope, key));

    public StoredDocument? Document(DocumentKey key) => _documents.GetValueOrDefault(key);

    public void Put(DocumentKey key, byte[] content) => _documents[key] = new StoredDocument(key, content, "1");

    public IndexRow? Row(string kind, string id) => _rows.GetValueOrDefault((kind, id));

    public IEnumerable<IndexRow> Rows => _rows.Values;

    public IReadOnlyList<StreamId> Active(StreamId? after, int countMax) =>
    [
        .. _rows.Values.Where(row => row is { Active: true, Kind: IndexKinds.Execution })
            .Where(row => after is not { } last || string.CompareOrdinal(row.Id, last.Id) > 0)
            .Take(countMax).Select(row => new StreamId(row.Tenant, row.Id)),
    ];

    public AppendOutcome Append(Append append)
    {
        if (!_streams.TryGetValue(append.Stream, out var records))
        {
            records = [];
        }

        if (append.ExpectedSeq != records.Count)
        {
            var isRepetition = append.ExpectedSeq < records.Count && records[(int)append.ExpectedSeq].AppendId == append.Record.AppendId;
            return new AppendOutcome(isRepetition ? AppendStatus.Appended : AppendStatus.Conflict, records.Count);
        }

        if (records.Count == 0)
        {
            _streams[append.Stream] = records;
            Streams.Add(append.Stream);
        }

        records.Add(append.Record);
        if (append.StreamKey is not null)
        {
            _keys[append.Stream] = append.StreamKey;
        }

        foreach (var payload in append.Payloads)
        {
            _payloads.TryAdd((append.Stream.Tenant, payload.Scope, payload.Key), payload.Bytes);
        }

        foreach (var key in append.RemovedPayloads)
        {
            _payloads.Remove((append.Stream.Tenant, append.Stream.Id, key));
        }

        foreach (var row in append.Index)
        {
            _rows[(row.Kind, row.Id)] = row;
        }

        Synced?.Invoke(append.Stream, append.Record);
        return new AppendOutcome(AppendStatus.Appended, records.Count);
    }

    public bool PutIfAbsent(string tenant, SealedPayload payload) => _payloads.TryAdd((tenant, payload.Scope, payload.Key), payload.Bytes);
}

/// <summary>A write on its way to the medium.</summary>
internal sealed record Write(SimulatedProcess Process, Action<SimulatedStore> Apply);
