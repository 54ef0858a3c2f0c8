namespace Omium.Runtime.Ports;

/// <summary>A store could not do what was asked. <see cref="Code"/> is stable and has a page in docs/errors.</summary>
public abstract class StorageException : Exception
{
    /// <summary>Makes the exception.</summary>
    protected StorageException(string code, string message, Exception? inner = null)
        : base(message, inner) => Code = code;

    /// <summary>Stable code, for example <c>storage_full</c>.</summary>
    public string Code { get; }
}

/// <summary>
/// The operation could not be made durable: no space (<see cref="Full"/>) or the medium failed (<see cref="Failed"/>). The store goes on, and
/// what it acknowledged before is kept. With <see cref="Failed"/> it is unknown whether the operation took effect: repeat it (an append with
/// the same append id is recognised).
/// </summary>
public sealed class StorageUnavailableException(string code, string message, Exception? inner = null)
    : StorageException(code, message, inner)
{
    /// <summary>No space left, or the size limit of the store is reached. The operation had no effect.</summary>
    public const string Full = "storage_full";

    /// <summary>The medium reported an error.</summary>
    public const string Failed = "storage_failed";
}

/// <summary>What is stored contradicts itself or is not a store at all. Restore a backup; the store never guesses.</summary>
public sealed class StorageCorruptException(string message, Exception? inner = null)
    : StorageException(Corrupt, message, inner)
{
    /// <summary>The only code of this exception.</summary>
    public const string Corrupt = "storage_corrupt";
}

/// <summary>This store cannot do what was asked, though another could. It says so rather than answer in part.</summary>
public sealed class StorageIncapableException(string code, string message)
    : StorageException(code, message)
{
    /// <summary>More rows match than the store counts.</summary>
    public const string Count = "count_unavailable";
}
