using System.Text.Json;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary>Records as answered.</summary>
internal static class EventViews
{
    public static EventRecord View(LogRecord record, RecordBody body) => new(
        record.Seq,
        ExecutionViews.Time(record.AtUnixMs),
        record.Command,
        record.Kernel,
        [.. body.Events.Select(happened => JsonSerializer.SerializeToElement(happened, KernelJson.Default.ExecutionEvent))],
        Convert.ToHexStringLower(record.Hash));
}
