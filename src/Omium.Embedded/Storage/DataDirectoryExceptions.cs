using System.Globalization;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Storage;

/// <summary>Another process holds the data directory. Two writers would break the log, so the second is refused.</summary>
public sealed class DataDirectoryInUseException(string path, int? holderProcessId, DateTimeOffset? holderStarted, Exception? inner = null)
    : StorageException("data_directory_in_use", Describe(path, holderProcessId, holderStarted), inner)
{
    /// <summary>Process id of the holder, when it could be read.</summary>
    public int? HolderProcessId { get; } = holderProcessId;

    /// <summary>When the holder opened the directory, when it could be read.</summary>
    public DateTimeOffset? HolderStarted { get; } = holderStarted;

    private static string Describe(string path, int? processId, DateTimeOffset? started)
    {
        var holder = processId is null
            ? "another process"
            : string.Create(CultureInfo.InvariantCulture, $"process {processId}, which opened it at {started:yyyy-MM-dd HH:mm:ss}Z");
        return $"OM5001 data_directory_in_use: {path} is in use by {holder}. Stop that process, or choose another data directory. Do not delete omium.lock: it is not the lock, the running process is.";
    }
}

/// <summary>A newer build of Omium wrote the data directory. It is left untouched.</summary>
public sealed class DataDirectoryTooNewException(string path, int version, int supported)
    : StorageException(
        "data_directory_too_new",
        string.Create(CultureInfo.InvariantCulture, $"OM5002 data_directory_too_new: {path} has schema version {version}; this build knows versions up to {supported}. Use the newer build, or restore a backup made before the upgrade."))
{
    /// <summary>Schema version found.</summary>
    public int Version { get; } = version;

    /// <summary>Newest schema version this build knows.</summary>
    public int Supported { get; } = supported;
}
