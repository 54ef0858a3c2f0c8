using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary>Walks an execution's records, page by page.</summary>
internal static class ExecutionHistory
{
    private const int PageRecords = 500;

    /// <summary>Records from the first up to and with <paramref name="lastSeq"/>.</summary>
    public static async IAsyncEnumerable<(LogRecord Record, RecordBody Body)> ReadAsync(ApiServices services, StreamId stream, long lastSeq = long.MaxValue)
    {
        var after = 0L;
        while (after < lastSeq)
        {
            var page = await services.Advancer.ReadAsync(stream, after, (int)Math.Min(PageRecords, lastSeq - after));
            foreach (var entry in page)
            {
                yield return entry;
                after = entry.Record.Seq;
            }

            if (page.Count < PageRecords)
            {
                yield break;
            }
        }
    }
}
