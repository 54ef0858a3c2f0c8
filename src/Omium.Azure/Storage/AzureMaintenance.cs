using Omium.Azure.Tables;
using Omium.Runtime.Ports;

namespace Omium.Azure.Storage;

/// <summary>
/// Puts in order what a process that died has left: listings that are behind their log, and marks of executions that owe nothing. A timer runs it
/// every few minutes on any number of hosts; each step may be done twice.
/// </summary>
public sealed class AzureMaintenance
{
    /// <summary>A mark whose append never came is dropped after this time: no append takes so long.</summary>
    public static readonly TimeSpan MarkAgeMax = TimeSpan.FromDays(1);

    private const int PageRows = 500;
    private readonly TableService _tables;
    private readonly AzureEventLog _log;
    private readonly TimeProvider _time;

    internal AzureMaintenance(TableService tables, AzureEventLog log, TimeProvider time) => (_tables, _log, _time) = (tables, log, time);

    /// <summary>Looks at every mark. Answers how many listings were checked and how many marks removed.</summary>
    /// <param name="owesAsync">Whether an execution may still owe an effect; asked only for executions whose listing is in order.</param>
    /// <param name="cancellation">Gives up between two marks.</param>
    public async Task<MaintenanceReport> RunAsync(Func<StreamId, CancellationToken, ValueTask<bool>> owesAsync, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(owesAsync);
        int checkedStreams = 0, removed = 0;
        foreach (var table in new[] { TableNames.Repair, TableNames.Active })
        {
            TableContinuation? next = null;
            do
            {
                var page = await _tables.QueryAsync(table, new TableQuery("PartitionKey ge ''"), PageRows, next, cancellation);
                foreach (var row in page.Rows)
                {
                    checkedStreams++;
                    removed += await LookAtAsync(table, row, owesAsync, cancellation) ? 1 : 0;
                }

                next = page.Next;
            }
            while (next is not null);
        }

        return new MaintenanceReport(checkedStreams, removed);
    }

    private async Task<bool> LookAtAsync(string table, TableEntity row, Func<StreamId, CancellationToken, ValueTask<bool>> owesAsync, CancellationToken cancellation)
    {
        var stream = new StreamId(row.Text("Tenant"), row.Text("Id"));
        var end = await _log.RepairAsync(stream, cancellation);
        var isReached = end >= row.Number("Until") || IsOld(row);
        if (!isReached || (table == TableNames.Active && end > 0 && await owesAsync(stream, cancellation)))
        {
            return false;
        }

        await _log.UnmarkAsync(new StreamMark(table, row.Partition, row.Row, row.ETag), cancellation);
        return true;
    }

    private bool IsOld(TableEntity row) =>
        _time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(row.Number("SetUnixMs")) > MarkAgeMax;
}

/// <summary>What a round came to.</summary>
public readonly record struct MaintenanceReport(int Checked, int Removed);
