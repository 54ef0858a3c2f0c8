using System.Globalization;
using System.Text.Json;

namespace Omium.Embedded.Storage;

/// <summary>A data directory held by this process alone, from <see cref="Acquire"/> to <see cref="Dispose"/> or the process's end, however it comes.</summary>
/// <remarks>
/// The lock is the operating system's (flock, or a share mode on Windows), so a killed process leaves none behind. The holder's identity
/// stands in a file beside it, which is information only and never decides.
/// </remarks>
internal sealed class DataDirectory : IDisposable
{
    private const string LockName = "omium.lock";
    private const string DatabaseName = "omium.db";
    private const string HolderName = "omium.holder.json";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly FileStream held;

    private DataDirectory(string path, FileStream held)
    {
        Path = path;
        this.held = held;
    }

    public string Path { get; }

    public string DatabasePath => DatabaseIn(Path);

    /// <summary>Where the database of a data directory lies.</summary>
    public static string DatabaseIn(string directory) => System.IO.Path.Combine(directory, DatabaseName);

    /// <summary>Creates the directory where it is missing (mode 0700), takes its lock and sees to an owner-only database file (mode 0600).</summary>
    /// <exception cref="DataDirectoryInUseException">Another process, or another store of this one, holds it.</exception>
    public static DataDirectory Acquire(string path, TimeProvider time)
    {
        path = System.IO.Path.GetFullPath(path);
        var isOurs = IsOurs(path);
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
        }

        var directory = new DataDirectory(path, Lock(path));
        try
        {
            RefuseEmptied(path, directory.DatabasePath);
            File.WriteAllText(System.IO.Path.Combine(path, HolderName), Describe(time));
            Restrict(System.IO.Path.Combine(path, HolderName));
            CreateOwnerOnly(directory.DatabasePath);
            if (isOurs && !OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, OwnerOnly | UnixFileMode.UserExecute);
            }

            return directory;
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    public void Dispose() => held.Dispose();

    /// <summary>A directory that holds other things too is not closed to other users: /tmp, given by mistake, must stay what it is.</summary>
    private static bool IsOurs(string path) =>
        !Directory.Exists(path)
        || File.Exists(System.IO.Path.Combine(path, DatabaseName))
        || !Directory.EnumerateFileSystemEntries(path).Any();

    /// <summary>A database of no bytes beside other files of ours was not made by us: something emptied it, and beginning anew would hide that.</summary>
    private static void RefuseEmptied(string path, string database)
    {
        if (new FileInfo(database) is { Exists: true, Length: 0 }
            && Directory.EnumerateFiles(path).Any(file => !System.IO.Path.GetFileName(file).StartsWith("omium.", StringComparison.Ordinal)))
        {
            throw new Runtime.Ports.StorageCorruptException(
                $"OM5005 storage_corrupt: {database} is empty, though this directory has been in use. Restore a backup; to begin anew, choose another data directory.");
        }
    }

    private static FileStream Lock(string path)
    {
        var lockPath = System.IO.Path.Combine(path, LockName);
        try
        {
            return new FileStream(lockPath, Options(FileMode.OpenOrCreate, FileShare.None));
        }
        catch (IOException held) when (File.Exists(lockPath))
        {
            throw InUse(path, held);
        }
    }

    private static DataDirectoryInUseException InUse(string path, IOException held)
    {
        try
        {
            using var holder = JsonDocument.Parse(File.ReadAllText(System.IO.Path.Combine(path, HolderName)));
            return new DataDirectoryInUseException(
                path,
                holder.RootElement.GetProperty("pid").GetInt32(),
                holder.RootElement.GetProperty("started").GetDateTimeOffset(),
                held);
        }
        catch (Exception unreadable) when (unreadable is IOException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // The holder has locked but not yet written who it is.
            return new DataDirectoryInUseException(path, null, null, held);
        }
    }

    private static string Describe(TimeProvider time) => string.Create(
        CultureInfo.InvariantCulture, $$"""{"pid": {{Environment.ProcessId}}, "started": "{{time.GetUtcNow():O}}"}""");

    private static void CreateOwnerOnly(string path)
    {
        using (new FileStream(path, Options(FileMode.OpenOrCreate, FileShare.ReadWrite)))
        {
        }

        Restrict(path);
    }

    private static void Restrict(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, OwnerOnly);
        }
    }

    private static FileStreamOptions Options(FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        return options;
    }
}
