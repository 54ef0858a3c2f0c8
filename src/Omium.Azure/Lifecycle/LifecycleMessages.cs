using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Azure.Lifecycle;

/// <summary>Which events of the log are published, and what of them: ids, words and classes that Omium made, never content.</summary>
public static class LifecycleMessages
{
    // The service takes message ids of at most 128 characters.
    private const int IdCharactersMax = 128;

    /// <summary>Names of the published events, as in the log: the types of the messages.</summary>
    public static IReadOnlySet<string> Events { get; } = new HashSet<string>
    {
        "execution.succeeded", "execution.failed", "execution.cancelled", "execution.paused", "review.requested", "credits.low",
    };

    /// <summary>The messages of a record, in the order of its events.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="record">The record.</param>
    /// <param name="body">The record, opened; null when it cannot be (its key was destroyed) or is not an execution's: the messages then hold the envelope alone.</param>
    public static IEnumerable<LifecycleMessage> Of(StreamId stream, LogRecord record, RecordBody? body)
    {
        ArgumentNullException.ThrowIfNull(record);
        var names = record.EventTypes.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (var at = 0; at < names.Length; at++)
        {
            if (Events.Contains(names[at]))
            {
                var id = IdOf(stream, record.Seq, at);
                yield return new LifecycleMessage(id, $"{stream.Tenant}.{stream.Id}", names[at], Write(stream, record, id, names[at], body?.Events[at]));
            }
        }
    }

    /// <summary>Whether a record's body says more than its envelope.</summary>
    internal static bool HasDetails(LogRecord record) =>
        record.EventTypes.Split(' ').Any(name => Events.Contains(name) && name is not ("execution.succeeded" or "execution.cancelled" or "credits.low"));

    /// <summary>The same for the same event for ever, so that a consumer knows a repetition.</summary>
    private static string IdOf(StreamId stream, long seq, int number)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{stream.Tenant}.{stream.Id}.{seq}.{number}");
        return id.Length <= IdCharactersMax ? id : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)));
    }

    private static byte[] Write(StreamId stream, LogRecord record, string id, string type, ExecutionEvent? happened)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("type", type);
            json.WriteString("tenant", stream.Tenant);
            json.WriteString("execution", stream.Id);
            json.WriteNumber("seq", record.Seq);
            json.WriteString("at", DateTimeOffset.FromUnixTimeMilliseconds(record.AtUnixMs).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            foreach (var (name, value) in Details(happened))
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static IEnumerable<(string Name, string Value)> Details(ExecutionEvent? happened) => happened switch
    {
        ExecutionFailed failed => [("step", failed.Step), ("class", failed.Class), ("code", failed.Code)],
        ExecutionPaused paused => [("reason", paused.Reason)],
        ReviewRequested review => [("review", review.Review), ("kind", review.Kind), ("step", review.Step)],
        _ => [],
    };
}

/// <summary>One message.</summary>
/// <param name="Id">Stable: a queue or topic with duplicate detection drops repetitions by it.</param>
/// <param name="Session">The execution: messages of one session are in the order of its log.</param>
/// <param name="Type">Stable name of the event.</param>
/// <param name="Body">JSON.</param>
public sealed record LifecycleMessage(string Id, string Session, string Type, byte[] Body);

/// <summary>Where messages go. When it returns, the message is kept there.</summary>
public interface ILifecycleSender
{
    /// <summary>Sends one message; the same message may come again.</summary>
    /// <exception cref="LifecycleUnsentException">It was not taken, or it is not known whether it was.</exception>
    Task SendAsync(LifecycleMessage message, CancellationToken cancellation);
}

/// <summary>A message was not taken, or its answer was lost. It will be sent again.</summary>
public sealed class LifecycleUnsentException(string message, Exception? inner = null) : Exception(message, inner);
