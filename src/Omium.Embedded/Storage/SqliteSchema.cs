using System.Globalization;

namespace Omium.Embedded.Storage;

/// <summary>The tables, and the steps from each released version of them to the next. A step, once released, never changes.</summary>
internal static class SqliteSchema
{
    /// <summary>"OMIU" in the file's application id tells other SQLite files apart.</summary>
    private const int ApplicationId = 0x4F4D4955;

    /// <summary>Step n leads from version n to n + 1.</summary>
    private static readonly string[] Steps = [Version1, Version2, Version3, Version4];

    /// <summary>Versions before this one have no counts: they are made from the rows.</summary>
    private const int CountedVersion = 4;

    public static int Version => Steps.Length;

    /// <summary>Refuses a newer schema and foreign databases before anything is written.</summary>
    public static void RefuseNewer(SqliteConnection connection, string path)
    {
        var version = (int)connection.ScalarInt64("PRAGMA user_version");
        if (version > Version)
        {
            throw new DataDirectoryTooNewException(path, version, Version);
        }

        if (version == 0 && connection.ScalarInt64("SELECT count(*) FROM sqlite_master") > 0)
        {
            throw new Runtime.Ports.StorageCorruptException(
                $"OM5005 storage_corrupt: {path} is a SQLite database, but not one of Omium's. Choose another data directory.");
        }
    }

    /// <summary>Brings the database to this build's version in one transaction.</summary>
    public static void Migrate(SqliteConnection connection)
    {
        var version = (int)connection.ScalarInt64("PRAGMA user_version");
        if (version == Version)
        {
            return;
        }

        connection.Execute("BEGIN IMMEDIATE");
        for (var step = version; step < Version; step++)
        {
            connection.Execute(Steps[step]);
        }

        if (version < CountedVersion)
        {
            new CountWriter(connection).Rebuild();
        }

        connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {Version}; COMMIT"));
    }

    // Records lie in the order of arrival and are found through a narrow index (stream, seq): one commit of a thousand streams then writes
    // some two hundred full pages at the end of the table, where a table ordered by stream would rewrite a thousand.
    // A body of a few kilobytes would stand alone in a page and leave the rest of it empty: its round thousands lie in parts, four to a page.
    private const string Version1 = """
        CREATE TABLE stream (
            tenant TEXT NOT NULL,
            id     TEXT NOT NULL,
            number INTEGER NOT NULL,
            PRIMARY KEY (tenant, id)
        ) WITHOUT ROWID;

        CREATE TABLE record (
            position    INTEGER PRIMARY KEY,
            stream      INTEGER NOT NULL,
            seq         INTEGER NOT NULL,
            append_id   TEXT NOT NULL,
            kernel      INTEGER NOT NULL,
            at_unix_ms  INTEGER NOT NULL,
            command     TEXT NOT NULL,
            event_types TEXT NOT NULL,
            prev_hash   BLOB NOT NULL,
            hash        BLOB NOT NULL,
            body        BLOB NOT NULL,
            part        INTEGER,
            parts       INTEGER NOT NULL
        );
        CREATE TABLE record_part (
            position INTEGER PRIMARY KEY,
            bytes    BLOB NOT NULL
        );
        CREATE UNIQUE INDEX record_place ON record (stream, seq);

        CREATE TABLE stream_key (
            stream  INTEGER PRIMARY KEY,
            wrapped BLOB NOT NULL
        );

        CREATE TABLE payload (
            number INTEGER PRIMARY KEY,
            bytes  BLOB NOT NULL
        );
        CREATE TABLE payload_name (
            tenant  TEXT NOT NULL,
            scope   TEXT NOT NULL,
            key     TEXT NOT NULL,
            payload INTEGER NOT NULL,
            PRIMARY KEY (tenant, scope, key)
        ) WITHOUT ROWID;

        CREATE TABLE document (
            number  INTEGER PRIMARY KEY,
            tenant  TEXT NOT NULL,
            kind    TEXT NOT NULL,
            id      TEXT NOT NULL,
            etag    TEXT NOT NULL,
            content BLOB NOT NULL
        );
        CREATE UNIQUE INDEX document_name ON document (tenant, kind, id);

        CREATE TABLE index_row (
            tenant           TEXT NOT NULL,
            kind             TEXT NOT NULL,
            id               TEXT NOT NULL,
            execution        TEXT NOT NULL,
            workflow         TEXT NOT NULL,
            workflow_version INTEGER NOT NULL,
            status           TEXT NOT NULL,
            failure_class    TEXT NOT NULL,
            step             TEXT NOT NULL,
            label            TEXT NOT NULL,
            active           INTEGER NOT NULL,
            created_unix_ms  INTEGER NOT NULL,
            updated_unix_ms  INTEGER NOT NULL,
            ended_unix_ms    INTEGER NOT NULL,
            PRIMARY KEY (tenant, kind, id)
        ) WITHOUT ROWID;
        CREATE INDEX index_row_newest ON index_row (tenant, kind, created_unix_ms DESC, id DESC);
        CREATE INDEX index_row_status ON index_row (tenant, kind, status, created_unix_ms DESC, id DESC);
        CREATE INDEX index_row_workflow ON index_row (tenant, kind, workflow, created_unix_ms DESC, id DESC);
        CREATE INDEX index_row_failure ON index_row (tenant, kind, failure_class, created_unix_ms DESC, id DESC)
            WHERE failure_class <> '';
        CREATE INDEX index_row_execution ON index_row (tenant, kind, execution, created_unix_ms DESC, id DESC)
            WHERE kind <> 'execution';
        CREATE INDEX index_row_active ON index_row (tenant, id) WHERE active = 1 AND kind = 'execution';
        """;

    // A posting is found by its term and read from the newest on; a row keeps its terms so that they can be taken out again.
    private const string Version2 = """
        ALTER TABLE index_row ADD COLUMN started_by TEXT NOT NULL DEFAULT '';
        ALTER TABLE index_row ADD COLUMN terms BLOB NOT NULL DEFAULT x'';
        CREATE TABLE search_term (
            term            INTEGER NOT NULL,
            created_unix_ms INTEGER NOT NULL,
            id              TEXT NOT NULL,
            PRIMARY KEY (term, created_unix_ms, id)
        ) WITHOUT ROWID;
        """;

    // How a failure came to be over was not told before; when it was, is the time of its row's last change. What a policy rolled back cannot be told from
    // what a person did by an older row of the audit: none of those counts as a person's.
    private const string Version3 = """
        ALTER TABLE index_row ADD COLUMN brought_by TEXT NOT NULL DEFAULT '';
        UPDATE index_row SET ended_unix_ms = updated_unix_ms WHERE kind = 'failure' AND status = 'resolved' AND ended_unix_ms = 0;
        UPDATE index_row SET brought_by = 'person' WHERE kind = 'audit' AND label IN ('review.decided', 'execution.paused', 'execution.resumed',
            'execution.cancelled', 'execution.retried', 'execution.migrated', 'residue.resolved');
        """;

    // What a time is counted from without reading its rows: how many there are of each sort in each hour of a day, and when the failures of a day began and
    // how long they took (CountDay). Derived from index_row in the transactions that write it, and made anew from it by whoever opens an older database.
    private const string Version4 = """
        CREATE TABLE index_count (
            tenant        TEXT NOT NULL,
            kind          TEXT NOT NULL,
            day_unix_ms   INTEGER NOT NULL,
            workflow      TEXT NOT NULL,
            failure_class TEXT NOT NULL,
            status        TEXT NOT NULL,
            brought_by    TEXT NOT NULL,
            started_by    TEXT NOT NULL,
            hours         BLOB NOT NULL,
            PRIMARY KEY (tenant, kind, day_unix_ms, workflow, failure_class, status, brought_by, started_by)
        ) WITHOUT ROWID;
        CREATE TABLE index_time (
            tenant        TEXT NOT NULL,
            kind          TEXT NOT NULL,
            day_unix_ms   INTEGER NOT NULL,
            workflow      TEXT NOT NULL,
            failure_class TEXT NOT NULL,
            part          INTEGER NOT NULL,
            times         BLOB NOT NULL,
            PRIMARY KEY (tenant, kind, day_unix_ms, workflow, failure_class, part)
        ) WITHOUT ROWID;
        """;
}
