using System.Security.Cryptography;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Audit;

/// <summary>
/// The audit trail of each tenant: one stream, chained twice. The log chains the sealed records; each row also carries the hash of the row before it
/// over what it says, so that an export proves itself without the store. Guarantees: an entry that was taken is durable; one id has one row; rows are
/// never changed and never removed.
/// </summary>
public sealed class AuditTrail(IEventLog log, IKeyWrap keys, TimeProvider time)
{
    /// <summary>How many of the last ids are known again: an entry that is handed in twice comes soon after itself, from a recovery. Default 4,096.</summary>
    public int KnownIdsMax { get; init; } = 4_096;

    private const int PageRecords = 500, RecordVersion = 1;
    private const string EventType = "audit.recorded";
    private readonly StreamAppender _appender = new(log, keys, time);
    private readonly CellCache<AuditCell> _cells = new(stream => new AuditCell(stream)) { CellsMax = 1_000 };

    /// <summary>What the store says to each write; default: to this writer's. Writers of the same store are given the same one.</summary>
    public StorageWatch Storage
    {
        get => _appender.Watch;
        init => _appender.Watch = value;
    }

    /// <summary>The stream of a tenant's trail.</summary>
    public static StreamId StreamOf(string tenant) => new(tenant, "audit");

    /// <summary>Records an entry, with index rows that become durable with it. Null when its id is on record already; then nothing is written.</summary>
    public async ValueTask<AuditRow?> AppendAsync(string tenant, AuditEntry entry, IReadOnlyList<IndexRow>? index = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var taken = await StreamAppender.RunAsync(
            _cells, StreamOf(tenant), LoadAsync, (cell, cancel) => TryAppendAsync(cell, entry, index ?? [], cancel), taken => taken.Row is not null, cancellation);
        return taken.Row;
    }

    /// <summary>Rows after <paramref name="afterSeq"/>, in order.</summary>
    public async ValueTask<IReadOnlyList<AuditRow>> ReadAsync(string tenant, long afterSeq, int countMax, CancellationToken cancellation = default)
    {
        var stream = StreamOf(tenant);
        var cell = await StreamAppender.FindAsync(_cells, stream, LoadAsync, current: false, cancellation);
        if (cell.DataKey is not { } key)
        {
            return [];
        }

        var records = await log.ReadAsync(stream, afterSeq, countMax, cancellation);
        return [.. records.Select(record => AuditRow.Deserialize(RecordCodec.Open(stream, record, key)))];
    }

    /// <summary>Number and hash of the last row; 0 and <see cref="AuditRow.Genesis"/> when there is none.</summary>
    public async ValueTask<(long Seq, string Hash)> HeadAsync(string tenant, CancellationToken cancellation = default)
    {
        var stream = StreamOf(tenant);
        var known = (await StreamAppender.FindAsync(_cells, stream, LoadAsync, current: false, cancellation)).Seq;
        var seq = await LastSeqAsync(stream, known, cancellation); // Another process may have written since.
        return seq == 0 ? (0, AuditRow.Genesis) : (seq, (await ReadAsync(tenant, seq - 1, 1, cancellation))[0].Hash);
    }

    /// <summary>Checks every record and row from the first: chain, seals, hashes. Answers how many hold, and what is wrong with the next (null: nothing).</summary>
    public async Task<(long Rows, string Head, string? Problem)> VerifyAsync(string tenant, CancellationToken cancellation = default)
    {
        var stream = StreamOf(tenant);
        var (seq, chain, head) = (0L, RecordCodec.Genesis, AuditRow.Genesis);
        try
        {
            var key = await log.ReadKeyAsync(stream, cancellation) is { } wrapped ? keys.Unwrap(wrapped) : null;
            while (true)
            {
                var page = await log.ReadAsync(stream, seq, PageRecords, cancellation);
                foreach (var record in page)
                {
                    var problem = RecordCodec.ChainProblem(record, seq, chain) ?? (key is null ? "the key of the trail is gone" : RowProblem(stream, record, key, head, out head));
                    if (problem is not null)
                    {
                        return (seq, head, $"row {seq + 1}: {problem}");
                    }

                    (seq, chain) = (record.Seq, record.Hash);
                }

                if (page.Count < PageRecords)
                {
                    return (seq, head, null);
                }
            }
        }
        catch (CryptographicException)
        {
            return (seq, head, $"row {seq + 1}: its seal does not open");
        }
    }

    private static string? RowProblem(StreamId stream, LogRecord record, byte[] key, string prevHash, out string hash)
    {
        var row = AuditRow.Deserialize(RecordCodec.Open(stream, record, key));
        hash = row.Hash;
        return row switch
        {
            _ when row.Seq != record.Seq || row.Entry.Action != record.Command || row.Entry.AtMs != record.AtUnixMs => "its envelope does not agree with its body",
            _ when row.PrevHash != prevHash => "it does not name the hash of the row before",
            _ when row.Hash != AuditRow.HashOf(row.Seq, row.PrevHash, row.Entry) => "its hash is not that of what it says",
            _ => null,
        };
    }

    private async ValueTask<Taken?> TryAppendAsync(AuditCell cell, AuditEntry entry, IReadOnlyList<IndexRow> index, CancellationToken cancellation)
    {
        if (cell.Knows(entry.Id))
        {
            return new Taken(null);
        }

        var row = AuditRow.Following(cell.Seq + 1, cell.RowHash, entry);
        var envelope = new RecordEnvelope(RecordVersion, entry.AtMs, entry.Action, EventType);
        if (await _appender.AppendAsync(cell, envelope, row.Serialize(), new AppendExtras(index, null, []), cancellation) is null)
        {
            return null;
        }

        cell.Take(row, KnownIdsMax);
        return new Taken(row);
    }

    /// <summary>Loads the end of the trail: its last hash, and the ids that may come again.</summary>
    private async ValueTask LoadAsync(AuditCell cell, CancellationToken cancellation)
    {
        if (cell.Seq == 0 && await LastSeqAsync(cell.Stream, 0, cancellation) is var last && last > KnownIdsMax)
        {
            var before = (await log.ReadAsync(cell.Stream, last - KnownIdsMax - 1, 1, cancellation))[0];
            cell.DataKey = keys.Unwrap((await log.ReadKeyAsync(cell.Stream, cancellation))!);
            cell.Lineage = Lineage.Of(cell.Stream);
            (cell.Seq, cell.LastHash) = (before.Seq, before.Hash);
        }

        var (seq, hash) = await _appender.ReadOnAsync(cell, body => AuditRow.Deserialize(body), (_, row) => cell.Take(row, KnownIdsMax), cancellation);
        (cell.Seq, cell.LastHash, cell.Fresh) = (seq, hash, true);
    }

    /// <summary>Number of the last record, found by doubling and halving: some forty reads of one record in a stream of a million.</summary>
    private async ValueTask<long> LastSeqAsync(StreamId stream, long known, CancellationToken cancellation)
    {
        async ValueTask<bool> IsThereAsync(long seq) => (await log.ReadAsync(stream, seq - 1, 1, cancellation)).Count > 0;

        var (there, missing) = (known, known + 1);
        while (await IsThereAsync(missing))
        {
            (there, missing) = (missing, missing + (2 * (missing - known)));
        }

        while (missing - there > 1)
        {
            var middle = there + ((missing - there) / 2);
            (there, missing) = await IsThereAsync(middle) ? (middle, missing) : (there, middle);
        }

        return there;
    }

    /// <summary>An answer; without a row the id was on record.</summary>
    private sealed record Taken(AuditRow? Row);
}

/// <summary>The end of a trail. Guarded by its gate.</summary>
internal sealed class AuditCell(StreamId stream) : StreamCell(stream)
{
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    public string RowHash { get; private set; } = AuditRow.Genesis;

    internal override bool Idle => true;

    public bool Knows(string id) => _ids.Contains(id);

    public void Take(AuditRow row, int knownIdsMax)
    {
        RowHash = row.Hash;
        if (_ids.Add(row.Entry.Id))
        {
            _order.Enqueue(row.Entry.Id);
        }

        if (_order.Count > knownIdsMax)
        {
            _ids.Remove(_order.Dequeue());
        }
    }
}
