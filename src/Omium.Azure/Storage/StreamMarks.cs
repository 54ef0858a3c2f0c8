using Omium.Azure.Tables;
using Omium.Runtime.Ports;

namespace Omium.Azure.Storage;

/// <summary>
/// Marks of streams that somebody must look at if their writer dies: executions that may owe an effect (they are marked as long as they may), and
/// for the time of one append any other stream whose listings change. A mark stands before the record that needs it and goes after what followed
/// that record.
/// </summary>
/// <remarks>
/// A mark names the place that its writer was about to take (<c>Until</c>): who finds it may remove it only when the stream has reached that place
/// and only as read. Each setting changes the row's tag, so that a late removal never hits a newer mark.
/// </remarks>
internal sealed class StreamMarks(TableService tables, TimeProvider time)
{
    private const string RepairPartition = "r";

    /// <summary>Sets the marks that an append needs and that do not stand yet.</summary>
    /// <param name="append">The append that follows.</param>
    /// <param name="standing">Marks that stand since this writer's last append to the stream, and nobody else appended since.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<MarksSet> MarkAsync(Append append, IReadOnlyDictionary<string, StreamMark> standing, CancellationToken cancellation)
    {
        if (append.Index.Count == 0)
        {
            return new MarksSet(standing, []);
        }

        var active = standing.ToDictionary();
        var superfluous = new List<StreamMark>();
        foreach (var row in append.Index.Where(row => row.Kind == IndexKinds.Execution))
        {
            if (!active.TryGetValue(row.Id, out var mark))
            {
                mark = await SetAsync(TableNames.Active, TableKeys.Of(row.Tenant), TableKeys.Of(row.Id), append, cancellation);
            }

            active.Remove(row.Id);
            if (row.Active)
            {
                active[row.Id] = mark;
            }
            else
            {
                superfluous.Add(mark);
            }
        }

        if (active.Count == 0 && superfluous.Count == 0)
        {
            superfluous.Add(await SetAsync(TableNames.Repair, RepairPartition, TableNames.PartitionOf(append.Stream), append, cancellation));
        }

        return new MarksSet(active, superfluous);
    }

    /// <summary>Removes a mark unless it was set again since.</summary>
    public async Task RemoveAsync(StreamMark mark, CancellationToken cancellation) =>
        await tables.DeleteAsync(mark.Table, mark.Partition, mark.Row, mark.ETag, cancellation);

    private async Task<StreamMark> SetAsync(string table, string partition, string row, Append append, CancellationToken cancellation)
    {
        var entity = new TableEntity(partition, row)
            .With("Tenant", append.Stream.Tenant).With("Id", append.Stream.Id).With("Until", append.Record.Seq).With("SetUnixMs", time.GetUtcNow().ToUnixTimeMilliseconds());
        var changed = await tables.ChangeAsync(table, TableOperation.Put(entity), cancellation);
        return new StreamMark(table, partition, row, changed.ETag);
    }
}

/// <summary>A mark as set or read.</summary>
internal sealed record StreamMark(string Table, string Partition, string Row, string ETag);

/// <summary>The marks around one append: those that stay, and those that go once all is done.</summary>
internal sealed record MarksSet(IReadOnlyDictionary<string, StreamMark> StillActive, IReadOnlyList<StreamMark> Superfluous)
{
    public static readonly MarksSet None = new(new Dictionary<string, StreamMark>(), []);
}
