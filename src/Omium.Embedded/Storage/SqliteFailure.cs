using Omium.Runtime.Ports;
using SQLitePCL;

namespace Omium.Embedded.Storage;

/// <summary>Turns result codes of SQLite (https://sqlite.org/rescode.html) into the errors of the ports.</summary>
internal static class SqliteFailure
{
    public static StorageException From(sqlite3 database, int result, string doing)
    {
        var extended = raw.sqlite3_extended_errcode(database);
        return From(result, $"{raw.sqlite3_errmsg(database).utf8_to_string()}, SQLite result {(extended == 0 ? result : extended)}", doing);
    }

    public static StorageException From(int result, string detail, string doing) => (result & 0xff) switch
    {
        raw.SQLITE_FULL => new StorageUnavailableException(
            StorageUnavailableException.Full,
            $"OM5003 storage_full: no space left while {doing} ({detail}). Nothing of it was stored. Free space or raise the size limit; the store goes on by itself."),
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => new StorageCorruptException(
            $"OM5005 storage_corrupt: the database is damaged or is no database ({detail}; while {doing}). Restore the data directory from a backup."),
        _ => new StorageUnavailableException(
            StorageUnavailableException.Failed,
            $"OM5004 storage_failed: the medium failed while {doing} ({detail}). What was acknowledged before is kept; the operation may be repeated."),
    };
}
