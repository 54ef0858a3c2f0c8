namespace Omium.Embedded.Storage;

/// <summary>How to open an <see cref="EmbeddedStore"/>.</summary>
public sealed record EmbeddedStoreOptions(string Directory)
{
    /// <summary>Size limit of the database in bytes; beyond it writes fail with <c>storage_full</c>. Default 0: the disk is the limit.</summary>
    public long SizeMaxBytes { get; init; }

    /// <summary>
    /// The write-ahead log is copied into the database once it has grown by this many bytes. Default 8 MiB: the copy then takes some
    /// milliseconds, and appends wait for it.
    /// </summary>
    public int CheckpointBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>The clock; only the holder's start time is read from it. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
