using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

/// <summary>How commands and events are stored: names in snake_case, nulls left out, fields in the order they are declared. Frozen by golden files.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UseStringEnumConverter = true,
    Converters = [typeof(RawElementConverter)],
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(RecordBody))]
[JsonSerializable(typeof(ExecutionEvent))]
[JsonSerializable(typeof(ExecutionCommand))]
[JsonSerializable(typeof(EffectOutcome))]
[JsonSerializable(typeof(ForkEdits))]
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

/// <summary>
/// Writes an element with the bytes it has. The serializer's own way escapes text anew, so that an element read back would be longer than the
/// one that was decided on, and a decision that looks at sizes would come out differently the second time.
/// </summary>
internal sealed class RawElementConverter : JsonConverter<JsonElement>
{
    /// <inheritdoc/>
    public override JsonElement Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => JsonElement.ParseValue(ref reader);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, JsonElement value, JsonSerializerOptions options) =>
        writer.WriteRawValue(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
}
