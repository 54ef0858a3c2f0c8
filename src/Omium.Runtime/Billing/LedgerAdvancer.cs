using System.Text.Json.Serialization;
using Omium.Kernel.Ledger;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Billing;

/// <summary>
/// The only writer of ledgers: one stream per tenant, sealed with a data key of its own and chained by hash like every other stream. Guarantees: what
/// it returns as accepted is durable; requests of one call are recorded in one append or not at all.
/// </summary>
public sealed class LedgerAdvancer(IEventLog log, IKeyWrap keys, TimeProvider time)
{
    /// <summary>Name of a ledger's stream within its tenant.</summary>
    public const string StreamName = "ledger";

    private static readonly Dictionary<Type, string> EventNames = typeof(LedgerEvent)
        .GetCustomAttributes(typeof(JsonDerivedTypeAttribute), false)
        .Cast<JsonDerivedTypeAttribute>()
        .ToDictionary(attribute => attribute.DerivedType, attribute => (string)attribute.TypeDiscriminator!);

    private readonly StreamAppender _appender = new(log, keys, time);
    private readonly CellCache<LedgerCell> _cells = new(stream => new LedgerCell(stream)) { CellsMax = 10_000 };

    /// <summary>What the store says to each write; default: to this writer's. Writers of the same store are given the same one.</summary>
    public StorageWatch Storage
    {
        get => _appender.Watch;
        init => _appender.Watch = value;
    }

    /// <summary>True (default): no other process writes these ledgers, so that what is in memory is what stands. False: each look asks the log what came since.</summary>
    public bool IsAlone { get; init; } = true;

    /// <summary>Told the tenant of a ledger that was read from the log: it may hold reservations that an earlier process made.</summary>
    public Action<string>? Loaded { get; set; }

    /// <summary>Time now, Unix ms.</summary>
    public long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    internal TimeProvider Time => time;

    /// <summary>The stream of a tenant's ledger.</summary>
    public static StreamId StreamOf(string tenant) => new(tenant, StreamName);

    /// <summary>The stable name of an event.</summary>
    public static string NameOf(LedgerEvent happened) => EventNames[happened.GetType()];

    /// <summary>
    /// The names of a record's events for its envelope, each once: a record may hold thousands, and its envelope is not where they are counted.
    /// </summary>
    public static string NamesOf(IReadOnlyList<LedgerEvent> events) => string.Join(' ', events.Select(NameOf).Distinct(StringComparer.Ordinal));

    /// <summary>Decides requests and records what came of them, in one append.</summary>
    public async ValueTask<LedgerOutcome> AdvanceAsync(string tenant, IReadOnlyList<LedgerRequest> requests, CancellationToken cancellation = default) =>
        await StreamAppender.RunAsync(
            _cells, StreamOf(tenant), LoadAsync, (cell, cancel) => TryAdvanceAsync(cell, new PostRequests(NowMs, tenant, requests), cancel),
            outcome => outcome.Events.Count > 0, cancellation);

    /// <summary>The state of a ledger; empty when it has not begun.</summary>
    public async ValueTask<LedgerState> StateAsync(string tenant, CancellationToken cancellation = default) => (await FindAsync(tenant, cancellation)).State;

    /// <summary>The cell of a ledger, loaded.</summary>
    public ValueTask<LedgerCell> FindAsync(string tenant, CancellationToken cancellation = default) =>
        StreamAppender.FindAsync(_cells, StreamOf(tenant), LoadAsync, current: !IsAlone, cancellation);

    /// <summary>Opened records of a ledger after <paramref name="afterSeq"/>.</summary>
    public async ValueTask<IReadOnlyList<(LogRecord Record, LedgerBody Body)>> ReadAsync(string tenant, long afterSeq, int countMax, CancellationToken cancellation = default)
    {
        var cell = await FindAsync(tenant, cancellation);
        if (cell.DataKey is not { } key)
        {
            return [];
        }

        var records = await log.ReadAsync(cell.Stream, afterSeq, countMax, cancellation);
        return [.. records.Select(record => (record, LedgerJson.Deserialize(RecordCodec.Open(cell.Stream, record, key))))];
    }

    private async ValueTask<LedgerOutcome?> TryAdvanceAsync(LedgerCell cell, PostRequests command, CancellationToken cancellation)
    {
        var outcome = LedgerKernel.Decide(cell.State, command);
        if (outcome.Events.Count == 0)
        {
            return outcome;
        }

        var envelope = new RecordEnvelope(LedgerKernel.Version, command.AtMs, PostRequests.Name, NamesOf(outcome.Events));
        var body = LedgerJson.Serialize(new LedgerBody(outcome.Command, outcome.Events));
        if (await _appender.AppendAsync(cell, envelope, body, new AppendExtras([], null, []), cancellation) is null)
        {
            return null;
        }

        cell.State = outcome.State;
        return outcome;
    }

    private async ValueTask LoadAsync(LedgerCell cell, CancellationToken cancellation)
    {
        var state = cell.State;
        var (seq, hash) = await _appender.ReadOnAsync(cell, body => LedgerJson.Deserialize(body), (_, body) => state = LedgerKernel.Fold(state, body), cancellation);
        (cell.State, cell.Seq, cell.LastHash, cell.Fresh) = (state, seq, hash, true);
        if (seq > 0)
        {
            Loaded?.Invoke(cell.Stream.Tenant);
        }
    }
}
