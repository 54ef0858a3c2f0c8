using System.Text.Json;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary>Records as answered.</summary>
internal static class EventViews
{
    public static EventRecord View(Lineage? lineage, LogRecord record, RecordBody body) => new(
        record.Seq,
        ExecutionViews.Time(record.AtUnixMs),
        record.Command,
        record.Kernel,
        [.. body.Events.Select(happened => JsonSerializer.SerializeToElement(happened, KernelJson.Default.ExecutionEvent))],
        Convert.ToHexStringLower(record.Hash))
    {
        InheritedFrom = InheritedFrom(lineage, record.Seq),
    };

    /// <summary>The execution that a record of a fork's prefix lies in; null for one of its own.</summary>
    public static string? InheritedFrom(Lineage? lineage, long seq) =>
        lineage is { IsFork: true } && lineage.SegmentOf(seq) is var segment && segment != lineage.Own ? segment.Stream.Id : null;
}
