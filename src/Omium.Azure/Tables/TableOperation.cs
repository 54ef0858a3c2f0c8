namespace Omium.Azure.Tables;

/// <summary>One change of a row inside an entity group transaction.</summary>
internal abstract record TableOperation(string Partition, string Row)
{
    /// <summary>Only if there is no such row.</summary>
    public static TableOperation Insert(TableEntity entity) => new InsertRow(entity);

    /// <summary>Whatever is there.</summary>
    public static TableOperation Put(TableEntity entity) => new PutRow(entity, null);

    /// <summary>Only if the row still has this tag.</summary>
    public static TableOperation Replace(TableEntity entity, string etag) => new PutRow(entity, etag);

    /// <summary>The row, which must be there.</summary>
    public static TableOperation Delete(string partition, string row) => new DeleteRow(partition, row);

    public sealed record InsertRow(TableEntity Entity) : TableOperation(Entity.Partition, Entity.Row);

    public sealed record PutRow(TableEntity Entity, string? ETag) : TableOperation(Entity.Partition, Entity.Row);

    public sealed record DeleteRow(string Partition, string Row) : TableOperation(Partition, Row);
}

/// <summary>What became of a change.</summary>
internal enum TableChange
{
    /// <summary>Done.</summary>
    Done,

    /// <summary>An insert found a row, or a row had another tag or was gone.</summary>
    Refused,
}

/// <summary>What became of a change, the row's new tag, and whether the request was sent more than once (a refusal may then be its own echo).</summary>
internal readonly record struct TableChanged(TableChange Change, string ETag, bool WasRepeated)
{
    public bool IsDone => Change == TableChange.Done;
}
