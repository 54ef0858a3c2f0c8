using Omium.Runtime.Ports;
using SQLitePCL;

namespace Omium.Embedded.Storage;

/// <summary>
/// Copies the database of a data directory, also while another process works on it: SQLite's online backup
/// (https://sqlite.org/backup.html) in one step, which is the state at one moment. Writers go on meanwhile.
/// </summary>
public static class StoreBackup
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Copies to a file that does not exist yet, checks the copy, and answers how many executions it holds. Synced when it returns.</summary>
    /// <exception cref="FileNotFoundException">There is no database to copy.</exception>
    /// <exception cref="IOException">The target exists.</exception>
    /// <exception cref="StorageCorruptException">The source is damaged, or the copy does not hold together.</exception>
    /// <exception cref="StorageUnavailableException">No space, or the medium failed.</exception>
    public static long Copy(string sourceDirectory, string targetDirectory)
    {
        var source = DataDirectory.DatabaseIn(sourceDirectory);
        var target = DataDirectory.DatabaseIn(targetDirectory);
        if (!File.Exists(source))
        {
            throw new FileNotFoundException($"There is no data of Omium in {sourceDirectory}.", source);
        }

        using (var made = new FileStream(target, FileMode.CreateNew, FileAccess.ReadWrite))
        {
        }

        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(target, OwnerOnly);
        }

        CopyPages(source, target);
        using (var copy = new SqliteConnection(target, null, readOnly: false))
        {
            var verdict = copy.ScalarText("PRAGMA quick_check(1)");
            if (verdict != "ok")
            {
                throw new StorageCorruptException($"OM5005 storage_corrupt: the copy of {source} does not hold together ({verdict}). Restore an earlier backup.");
            }

            var executions = copy.ScalarInt64("SELECT count(*) FROM index_row WHERE kind = 'execution'");
            copy.Checkpoint(truncate: true);
            Sync(target);
            return executions;
        }
    }

    private static void CopyPages(string source, string target)
    {
        using var from = new SqliteConnection(source, null, readOnly: false);
        using var to = new SqliteConnection(target, null, readOnly: false);
        var backup = raw.sqlite3_backup_init(to.Handle, "main", from.Handle, "main");
        to.Check(backup is null ? raw.sqlite3_errcode(to.Handle) : raw.SQLITE_OK, "beginning the backup");
        var result = raw.sqlite3_backup_step(backup, -1);
        var ended = raw.sqlite3_backup_finish(backup);
        to.Check(result == raw.SQLITE_DONE ? ended : result, "copying the database");
    }

    private static void Sync(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Flush(flushToDisk: true);
    }
}
