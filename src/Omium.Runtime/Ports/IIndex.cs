namespace Omium.Runtime.Ports;

/// <summary>
/// Listings over executions, reviews and failures. Rows are written by <see cref="IEventLog.AppendAsync"/> together with the record that
/// changed them; they hold envelope data only (ids, states, classes, times), never bodies.
/// </summary>
public interface IIndex
{
    /// <summary>One page, newest first (by CreatedUnixMs, then Id, both descending).</summary>
    Task<IndexPage> QueryAsync(IndexQuery query, CancellationToken cancellation = default);

    /// <summary>One row, or null.</summary>
    Task<IndexRow?> GetAsync(string tenant, string kind, string id, CancellationToken cancellation = default);

    /// <summary>
    /// Executions of every tenant that may still owe an effect (<see cref="IndexRow.Active"/>), after <paramref name="after"/> in (tenant, id) order.
    /// Recovery reads it on start.
    /// </summary>
    Task<IReadOnlyList<StreamId>> ListActiveAsync(StreamId? after, int countMax, CancellationToken cancellation = default);

    /// <summary>How many rows a filter matches (limit and cursor are ignored), grouped by status.</summary>
    Task<IReadOnlyDictionary<string, long>> CountByStatusAsync(IndexQuery query, CancellationToken cancellation = default);
}

/// <summary>Kinds of <see cref="IndexRow"/>.</summary>
public static class IndexKinds
{
    /// <summary>One row per execution.</summary>
    public const string Execution = "execution";

    /// <summary>One row per review.</summary>
    public const string Review = "review";

    /// <summary>One row per failure (a step's attempt that failed for good or was caught by a policy).</summary>
    public const string Failure = "failure";

    /// <summary>One row per root of shared scopes: free or held, with the label contended when somebody waits. What it is called stays sealed in its stream.</summary>
    public const string Resource = "resource";

    /// <summary>
    /// One row per record that the tenant's audit trail accounts for: owed from the record on, written once its row is in the trail. Both changes are
    /// one append with what causes them.
    /// </summary>
    public const string Audit = "audit";

    /// <summary>One row per effect that a rollback could not undo.</summary>
    public const string Residue = "residue";
}

/// <summary>One row of a listing, replaced whole whenever it changes.</summary>
public sealed record IndexRow(string Tenant, string Kind, string Id, string Execution)
{
    /// <summary>Workflow name.</summary>
    public string Workflow { get; init; } = "";

    /// <summary>Workflow version.</summary>
    public int WorkflowVersion { get; init; }

    /// <summary>Status of the thing listed.</summary>
    public string Status { get; init; } = "";

    /// <summary>Failure class, or "".</summary>
    public string FailureClass { get; init; } = "";

    /// <summary>Step concerned, or "".</summary>
    public string Step { get; init; } = "";

    /// <summary>Short machine-made text (kind of review, guard code), or "".</summary>
    public string Label { get; init; } = "";

    /// <summary>True while an execution may still owe an effect.</summary>
    public bool Active { get; init; }

    /// <summary>Creation, milliseconds since the Unix epoch.</summary>
    public long CreatedUnixMs { get; init; }

    /// <summary>Last change, milliseconds since the Unix epoch.</summary>
    public long UpdatedUnixMs { get; init; }

    /// <summary>End, milliseconds since the Unix epoch; 0 while it has not ended.</summary>
    public long EndedUnixMs { get; init; }
}

/// <summary>A filter; null fields do not restrict.</summary>
public sealed record IndexQuery(string Tenant, string Kind)
{
    /// <summary>Exact workflow name.</summary>
    public string? Workflow { get; init; }

    /// <summary>Exact status.</summary>
    public string? Status { get; init; }

    /// <summary>Exact failure class.</summary>
    public string? FailureClass { get; init; }

    /// <summary>Exact execution id.</summary>
    public string? Execution { get; init; }

    /// <summary>Only rows created at or after this time (Unix ms).</summary>
    public long? FromUnixMs { get; init; }

    /// <summary>Only rows created before this time (Unix ms).</summary>
    public long? ToUnixMs { get; init; }

    /// <summary>Rows per page, 1 to 200.</summary>
    public int Limit { get; init; } = 50;

    /// <summary>Opaque cursor of the page before; any other text is answered with <see cref="InvalidCursorException"/>.</summary>
    public string? Cursor { get; init; }
}

/// <summary>Rows, and the cursor of the next page or null.</summary>
public sealed record IndexPage(IReadOnlyList<IndexRow> Rows, string? NextCursor);

/// <summary>The cursor was not made by this index: a client made it up or cut it short.</summary>
public sealed class InvalidCursorException() : Exception("The cursor was not made by this index.");
