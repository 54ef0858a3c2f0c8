using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Omium.Kernel.Resources;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Resources;

/// <summary>
/// The only writer of resource streams: one stream per tenant and root, under <c>res_</c> and a digest of the root's name (the name itself is
/// sealed in the first record, with a data key of the stream's own). Guarantees: what it returns as accepted is durable.
/// </summary>
public sealed class ResourceAdvancer(IEventLog log, IKeyWrap keys, TimeProvider time)
{
    private static readonly Dictionary<Type, string> EventNames = typeof(ResourceEvent)
        .GetCustomAttributes(typeof(JsonDerivedTypeAttribute), false)
        .Cast<JsonDerivedTypeAttribute>()
        .ToDictionary(attribute => attribute.DerivedType, attribute => (string)attribute.TypeDiscriminator!);

    /// <summary>
    /// True (default): no other process writes to this log, so what this one has cached is what is there. False: each reading looks for what others
    /// have appended since (a decision always does, by the place that it appends at).
    /// </summary>
    public bool IsAlone { get; init; } = true;

    private readonly StreamAppender _appender = new(log, keys, time);
    private readonly CellCache<ResourceCell> _cells = new(stream => new ResourceCell(stream)) { CellsMax = 20_000 };

    /// <summary>What the store says to each write; default: to this writer's. Writers of the same store are given the same one.</summary>
    public StorageWatch Storage
    {
        get => _appender.Watch;
        init => _appender.Watch = value;
    }

    /// <summary>Time now, Unix ms.</summary>
    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The stream of a root.</summary>
    public static StreamId StreamOf(string tenant, string root) =>
        new(tenant, "res_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(root)))[..40]);

    /// <summary>The stable name of an event.</summary>
    public static string NameOf(ResourceEvent happened) => EventNames[happened.GetType()];

    /// <summary>Decides and records a command.</summary>
    public async ValueTask<ResourceOutcome> AdvanceAsync(string tenant, ResourceCommand command, CancellationToken cancellation = default) =>
        await StreamAppender.RunAsync(
            _cells, StreamOf(tenant, command.Root), LoadAsync, (cell, cancel) => TryAdvanceAsync(cell, command, cancel), outcome => outcome.Events.Count > 0, cancellation);

    /// <summary>The state of a root; empty when nothing was ever shared under it.</summary>
    public async ValueTask<ResourceState> StateAsync(string tenant, string root, CancellationToken cancellation = default) =>
        (await FindAsync(StreamOf(tenant, root), cancellation)).State;

    /// <summary>The same with every record that is in the log by now, other processes' included.</summary>
    public async ValueTask<ResourceState> CurrentStateAsync(string tenant, string root, CancellationToken cancellation = default) =>
        (await StreamAppender.FindAsync(_cells, StreamOf(tenant, root), LoadAsync, current: true, cancellation)).State;

    /// <summary>The cell of a resource stream, loaded.</summary>
    public ValueTask<ResourceCell> FindAsync(StreamId stream, CancellationToken cancellation = default) =>
        StreamAppender.FindAsync(_cells, stream, LoadAsync, current: !IsAlone, cancellation);

    /// <summary>Opened records of a root after <paramref name="afterSeq"/>.</summary>
    public async ValueTask<IReadOnlyList<(LogRecord Record, ResourceBody Body)>> ReadAsync(string tenant, string root, long afterSeq, int countMax, CancellationToken cancellation = default)
    {
        var cell = await FindAsync(StreamOf(tenant, root), cancellation);
        if (cell.DataKey is not { } key)
        {
            return [];
        }

        var records = await log.ReadAsync(cell.Stream, afterSeq, countMax, cancellation);
        return [.. records.Select(record => (record, ResourceJson.Deserialize(RecordCodec.Open(cell.Stream, record, key))))];
    }

    private async ValueTask<ResourceOutcome?> TryAdvanceAsync(ResourceCell cell, ResourceCommand command, CancellationToken cancellation)
    {
        var outcome = ResourceKernel.Decide(cell.State, command);
        if (outcome.Events.Count == 0)
        {
            return outcome;
        }

        var body = new ResourceBody(command, outcome.Events);
        var envelope = new RecordEnvelope(ResourceKernel.Version, command.AtMs, command.Name, string.Join(' ', outcome.Events.Select(NameOf)));
        var row = RowOf(cell, outcome.State, command.AtMs);
        var changed = cell.Row is not { } known || known with { UpdatedUnixMs = row.UpdatedUnixMs } != row;
        if (await _appender.AppendAsync(cell, envelope, ResourceJson.Serialize(body), new AppendExtras(changed ? [row] : [], null, []), cancellation) is null)
        {
            return null;
        }

        (cell.State, cell.Row) = (outcome.State, row);
        return outcome;
    }

    /// <summary>What listings know of a root: that somebody holds something, not what (names may be personal; they stay sealed).</summary>
    private static IndexRow RowOf(ResourceCell cell, ResourceState state, long atMs) => new(cell.Stream.Tenant, IndexKinds.Resource, cell.Stream.Id, "")
    {
        Status = state.Holders.Count + state.Queue.Count > 0 ? "held" : "free",
        Label = state.Queue.Count > 0 ? "contended" : "",
        CreatedUnixMs = cell.Row?.CreatedUnixMs ?? atMs,
        UpdatedUnixMs = atMs,
    };

    private async ValueTask LoadAsync(ResourceCell cell, CancellationToken cancellation)
    {
        var state = cell.State;
        var firstMs = cell.Row?.CreatedUnixMs ?? 0;
        var (seq, hash) = await _appender.ReadOnAsync(
            cell,
            body => ResourceJson.Deserialize(body),
            (record, body) =>
            {
                firstMs = record.Seq == 1 ? record.AtUnixMs : firstMs;
                state = ResourceKernel.Fold(state, body);
            },
            cancellation);
        (cell.State, cell.Seq, cell.LastHash, cell.Fresh) = (state, seq, hash, true);
        cell.Row = seq > 0 ? RowOf(cell, state, firstMs) with { CreatedUnixMs = firstMs } : null;
    }
}
