using Omium.Runtime.Ports;

namespace Omium.Embedded.Storage;

/// <summary>Writes index rows inside the writer's transaction.</summary>
internal sealed class IndexWriter(SqliteConnection connection)
{
    /// <summary>What a row writes with its index entries, about.</summary>
    public const int RowBytes = 600;

    /// <summary>
    /// Most changes of a row move only its step, label and time of change, which stand in no index and are not counted. Naming what is in the condition
    /// and not in SET lets SQLite leave all indexes alone.
    /// </summary>
    private readonly SqliteStatement update = connection.Prepare("""
        UPDATE index_row SET workflow_version = ?6, step = ?9, label = ?10, updated_unix_ms = ?13
        WHERE tenant = ?1 AND kind = ?2 AND id = ?3 AND execution = ?4 AND workflow = ?5 AND status = ?7 AND failure_class = ?8
            AND active = ?11 AND created_unix_ms = ?12 AND ended_unix_ms = ?14 AND brought_by = ?15
        """);

    private readonly SqliteStatement replace = connection.Prepare("""
        INSERT INTO index_row (tenant, kind, id, execution, workflow, workflow_version, status, failure_class, step, label, active,
            created_unix_ms, updated_unix_ms, ended_unix_ms, brought_by, started_by)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
        ON CONFLICT (tenant, kind, id) DO UPDATE SET execution = ?4, workflow = ?5, workflow_version = ?6, status = ?7,
            failure_class = ?8, step = ?9, label = ?10, active = ?11, created_unix_ms = ?12, updated_unix_ms = ?13, ended_unix_ms = ?14,
            brought_by = ?15, started_by = CASE WHEN ?16 = '' THEN started_by ELSE ?16 END
        """);

    private readonly PostingWriter postings = new(connection);
    private readonly CountWriter counts = new(connection);

    public void Put(IndexRow row)
    {
        Bind(update, row).Run();
        if (connection.Changes == 0)
        {
            Replace(row);
        }

        if (row.Terms is { Count: > 0 } terms)
        {
            postings.Add(row, terms);
        }
    }

    /// <summary>Takes an execution and what belongs to it out of what words find.</summary>
    public void Erase(StreamId execution) => postings.Erase(execution);

    /// <summary>Writes what the rows of the transaction have changed in the counts; before it commits.</summary>
    public void FlushCounts() => counts.Flush();

    /// <summary>After a rollback.</summary>
    public void ForgetCounts() => counts.Forget();

    private void Replace(IndexRow row)
    {
        if (CountWriter.IsCounted(row.Kind))
        {
            var before = SqliteIndex.Get(connection, (row.Tenant, row.Kind, row.Id));
            counts.Change(before, row.StartedBy.Length == 0 && before is not null ? row with { StartedBy = before.StartedBy } : row);
        }

        Bind(replace, row).Bind(16, row.StartedBy).Run();
    }

    private static SqliteStatement Bind(SqliteStatement statement, IndexRow row) => statement
        .Bind(1, row.Tenant)
        .Bind(2, row.Kind)
        .Bind(3, row.Id)
        .Bind(4, row.Execution)
        .Bind(5, row.Workflow)
        .Bind(6, row.WorkflowVersion)
        .Bind(7, row.Status)
        .Bind(8, row.FailureClass)
        .Bind(9, row.Step)
        .Bind(10, row.Label)
        .Bind(11, row.Active ? 1 : 0)
        .Bind(12, row.CreatedUnixMs)
        .Bind(13, row.UpdatedUnixMs)
        .Bind(14, row.EndedUnixMs)
        .Bind(15, row.By);
}
