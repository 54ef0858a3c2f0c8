using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

/// <summary>How commands and events are stored: names in snake_case, nulls left out, fields in the order they are declared. Frozen by golden files.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UseStringEnumConverter = true,
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(RecordBody))]
[JsonSerializable(typeof(ExecutionEvent))]
[JsonSerializable(typeof(ExecutionCommand))]
[JsonSerializable(typeof(EffectOutcome))]
[JsonSerializable(typeof(ModelRequest))]
public sealed partial class KernelJson : JsonSerializerContext
{
    /// <summary>The stored bytes of a record's body.</summary>
    public static byte[] Serialize(RecordBody body) => JsonSerializer.SerializeToUtf8Bytes(body, Default.RecordBody);

    /// <summary>Reads a stored body.</summary>
    public static RecordBody Deserialize(ReadOnlySpan<byte> utf8) =>
        JsonSerializer.Deserialize(utf8, Default.RecordBody) ?? throw new JsonException("a record body is null");
}

/// <summary>The sealed part of a record: the command, and the events it led to.</summary>
public sealed record RecordBody(ExecutionCommand Command, IReadOnlyList<ExecutionEvent> Events);
