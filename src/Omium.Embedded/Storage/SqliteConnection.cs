using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Omium.Embedded.Storage;

/// <summary>One connection with its prepared statements. Used by one thread at a time.</summary>
internal sealed unsafe class SqliteConnection : IDisposable
{
    private const int BusyTimeoutMs = 1_000;

    private readonly Dictionary<string, SqliteStatement> prepared = new(StringComparer.Ordinal);
    private readonly sqlite3 database;
    private readonly int* walPages;

    public SqliteConnection(string path, string? vfs, bool readOnly)
    {
        _ = SqliteLibrary.Info;
        var access = readOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE;
        var result = raw.sqlite3_open_v2(path, out database, access | raw.SQLITE_OPEN_NOMUTEX, vfs);
        if (result != raw.SQLITE_OK)
        {
            var failure = SqliteFailure.From(database, result, "opening the database");
            database.Dispose();
            throw failure;
        }

        raw.sqlite3_extended_result_codes(database, 1);
        // Nobody else writes; only the emptying of the log waits, for readers, and it may be tried again.
        raw.sqlite3_busy_timeout(database, BusyTimeoutMs);
        walPages = (int*)NativeMemory.AllocZeroed(sizeof(int));
    }

    /// <summary>SQLite's own handle.</summary>
    public sqlite3 Handle => database;

    /// <summary>Pages in the write-ahead log after the last commit; counted from <see cref="CountWalPages"/> on.</summary>
    public int WalPages => *walPages;

    /// <summary>True while a transaction is open.</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(database) == 0;

    /// <summary>Rows changed by the last statement.</summary>
    public int Changes => raw.sqlite3_changes(database);

    /// <summary>Row id made by the last insert.</summary>
    public long LastRowId => raw.sqlite3_last_insert_rowid(database);

    /// <summary>Has SQLite tell the length of its log after each commit. Ends SQLite's own checkpoints, which use the same hook.</summary>
    public void CountWalPages()
    {
        var hook = (delegate* unmanaged[Cdecl]<nint, delegate* unmanaged[Cdecl]<int*, nint, byte*, int, int>, int*, nint>)
            SqliteLibrary.Export("sqlite3_wal_hook");
        hook(database.DangerousGetHandle(), &RememberWalPages, walPages);
    }

    /// <summary>After a checkpoint of all pages.</summary>
    public void ForgetWalPages() => *walPages = 0;

    /// <summary>The statement for this text, prepared on first use and kept.</summary>
    public SqliteStatement Prepare(string sql)
    {
        if (!prepared.TryGetValue(sql, out var statement))
        {
            Check(raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out var handle), "preparing a statement");
            statement = new SqliteStatement(this, handle);
            prepared.Add(sql, statement);
        }

        return statement;
    }

    /// <summary>Runs statements that answer nothing.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(database, sql), "running a statement");

    /// <summary>The single integer that a statement answers.</summary>
    public long ScalarInt64(string sql)
    {
        var statement = Prepare(sql);
        try
        {
            return statement.Step() ? statement.Int64(0) : 0;
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>The single text that a statement answers.</summary>
    public string ScalarText(string sql)
    {
        var statement = Prepare(sql);
        try
        {
            return statement.Step() ? statement.Text(0) : "";
        }
        finally
        {
            statement.Reset();
        }
    }

    /// <summary>
    /// Copies the write-ahead log into the database. <paramref name="truncate"/>: waits for readers and empties the log file; otherwise copies
    /// what it can without waiting. Answers how many frames are left.
    /// </summary>
    public int Checkpoint(bool truncate)
    {
        var mode = truncate ? raw.SQLITE_CHECKPOINT_TRUNCATE : raw.SQLITE_CHECKPOINT_PASSIVE;
        var result = raw.sqlite3_wal_checkpoint_v2(database, "main", mode, out var frames, out var copied);
        if ((result & 0xff) == raw.SQLITE_BUSY)
        {
            return Math.Max(1, frames - copied);
        }

        Check(result, "copying the write-ahead log into the database");
        return frames - copied;
    }

    public void Check(int result, string doing)
    {
        if (result is not (raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE))
        {
            throw SqliteFailure.From(database, result, doing);
        }
    }

    public void Dispose()
    {
        foreach (var statement in prepared.Values)
        {
            statement.Dispose();
        }

        prepared.Clear();
        database.Dispose();
        NativeMemory.Free(walPages);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int RememberWalPages(int* walPages, nint database, byte* schema, int pages)
    {
        *walPages = pages;
        return raw.SQLITE_OK;
    }
}

/// <summary>A prepared statement: bind, step, read, <see cref="Reset"/>. Parameters and columns: the first parameter is 1, the first column 0.</summary>
internal sealed class SqliteStatement(SqliteConnection connection, sqlite3_stmt handle) : IDisposable
{
    private byte[] text = new byte[512];

    public SqliteStatement Bind(int parameter, long value)
    {
        connection.Check(raw.sqlite3_bind_int64(handle, parameter, value), "binding a number");
        return this;
    }

    public SqliteStatement Bind(int parameter, string value)
    {
        var bytesMax = System.Text.Encoding.UTF8.GetMaxByteCount(value.Length);
        if (text.Length < bytesMax)
        {
            text = new byte[bytesMax];
        }

        var count = System.Text.Encoding.UTF8.GetBytes(value, text);
        // An empty span reaches SQLite as a null pointer, which means NULL; the overload for strings knows an empty text.
        var result = count == 0 ? raw.sqlite3_bind_text(handle, parameter, "") : raw.sqlite3_bind_text(handle, parameter, text.AsSpan(0, count));
        connection.Check(result, "binding a text");
        return this;
    }

    public SqliteStatement Bind(int parameter, ReadOnlySpan<byte> value)
    {
        var result = value.IsEmpty ? raw.sqlite3_bind_zeroblob(handle, parameter, 0) : raw.sqlite3_bind_blob(handle, parameter, value);
        connection.Check(result, "binding bytes");
        return this;
    }

    /// <summary>True when there is a row.</summary>
    public bool Step()
    {
        var result = raw.sqlite3_step(handle);
        if (result == raw.SQLITE_ROW)
        {
            return true;
        }

        connection.Check(result, "running a statement");
        return false;
    }

    /// <summary>Steps to the end and makes the statement ready for its next use.</summary>
    public void Run()
    {
        try
        {
            while (Step())
            {
            }
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Ends the statement's use, and with it the read snapshot it holds. Frees what was bound.</summary>
    public void Reset()
    {
        // The result repeats the error of the last step, which was reported then.
        _ = raw.sqlite3_reset(handle);
        _ = raw.sqlite3_clear_bindings(handle);
    }

    public long Int64(int column) => raw.sqlite3_column_int64(handle, column);

    public int Int32(int column) => raw.sqlite3_column_int(handle, column);

    public string Text(int column) => raw.sqlite3_column_text(handle, column).utf8_to_string() ?? "";

    /// <summary>Valid until the next step.</summary>
    public ReadOnlySpan<byte> Span(int column) => raw.sqlite3_column_blob(handle, column);

    public byte[] Bytes(int column) => raw.sqlite3_column_blob(handle, column).ToArray();

    public void Dispose() => handle.Dispose();
}
