namespace Omium.Embedded.Storage;

/// <summary>Counts since the store was opened; a snapshot.</summary>
public sealed record EmbeddedStoreStatistics
{
    /// <summary>Appends that created a record.</summary>
    public required long Appends { get; init; }

    /// <summary>Appends recognised as a repetition; nothing was written.</summary>
    public required long AppendsRepeated { get; init; }

    /// <summary>Appends that found another record in their place.</summary>
    public required long AppendConflicts { get; init; }

    /// <summary>Operations of every kind that were completed: appends, payloads, documents, key destructions.</summary>
    public required long Operations { get; init; }

    /// <summary>Operations that failed.</summary>
    public required long OperationsFailed { get; init; }

    /// <summary>Transactions that were committed.</summary>
    public required long Commits { get; init; }

    /// <summary>The most operations that one transaction held.</summary>
    public required long BatchOperationsMax { get; init; }

    /// <summary>Transactions by size: entry n counts those with 2^n to 2^(n+1) - 1 operations.</summary>
    public required IReadOnlyList<long> BatchSizes { get; init; }

    /// <summary>Copies of the write-ahead log into the database.</summary>
    public required long Checkpoints { get; init; }

    /// <summary>
    /// Syncs of the write-ahead log that the operating system confirmed, counted where SQLite calls the operating system. Every commit that
    /// changed something takes one; a restart of the log takes one more.
    /// </summary>
    public required long WalSyncs { get; init; }

    /// <summary>Syncs of the database file that the operating system confirmed; they belong to checkpoints.</summary>
    public required long DatabaseSyncs { get; init; }
}
