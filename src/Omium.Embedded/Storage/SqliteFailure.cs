using Omium.Runtime.Ports;
using SQLitePCL;

namespace Omium.Embedded.Storage;

/// <summary>Turns result codes of SQLite (https://sqlite.org/rescode.html) into the errors of the ports.</summary>
internal static class SqliteFailure
{
    public static Exception From(sqlite3 database, int result, string doing)
    {
        var extended = raw.sqlite3_extended_errcode(database);
        return From(result, $"{raw.sqlite3_errmsg(database).utf8_to_string()}, SQLite result {(extended == 0 ? result : extended)}", doing);
    }

    public static Exception From(int result, string detail, string doing) => (result & 0xff) switch
    {
        raw.SQLITE_FULL => new StorageUnavailableException(
            StorageUnavailableException.Full,
            $"OM5003 storage_full: no space left while {doing} ({detail}). Nothing of it was stored. Free space or raise the size limit; the store goes on by itself."),
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => new StorageCorruptException(
            $"OM5005 storage_corrupt: the database is damaged or is no database ({detail}; while {doing}). Restore the data directory from a backup."),
        // A violated constraint or a misuse is a bug of this program, and is to look like one.
        raw.SQLITE_CONSTRAINT or raw.SQLITE_ERROR or raw.SQLITE_MISUSE or raw.SQLITE_RANGE or raw.SQLITE_MISMATCH =>
            new InvalidOperationException($"SQLite refused what Omium asked while {doing}: {detail}."),
        _ => new StorageUnavailableException(
            StorageUnavailableException.Failed,
            $"OM5004 storage_failed: the medium failed while {doing} ({detail}). What was acknowledged before is kept; the operation may be repeated."),
    };
}
