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
[JsonSerializable(typeof(TracedDeclaration))]
public sealed partial class KernelJson : JsonSerializerContext
{
    /// <summary>The stored bytes of a record's body.</summary>
    public static byte[] Serialize(RecordBody body) => JsonSerializer.SerializeToUtf8Bytes(body, Default.RecordBody);

    /// <summary>True when two declarations say the same, byte for byte.</summary>
    internal static bool Same(TracedDeclaration one, TracedDeclaration other) =>
        JsonSerializer.SerializeToUtf8Bytes(one, Default.TracedDeclaration).AsSpan().SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(other, Default.TracedDeclaration));

    /// <summary>Reads a stored body.</summary>
    public static RecordBody Deserialize(ReadOnlySpan<byte> utf8) =>
        JsonSerializer.Deserialize(utf8, Default.RecordBody) ?? throw new JsonException("a record body is null");

    /// <summary>
    /// Reads only what a fold needs of a stored body. The command is passed over (but for its time): it says once more what the events say, and making
    /// it anew would be a good part of the time that a long history takes.
    /// </summary>
    /// <exception cref="JsonException">The bytes are no record body.</exception>
    public static RecordedEvents DeserializeEvents(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8);
        long atMs = 0;
        IReadOnlyList<ExecutionEvent>? events = null;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var (isEvents, isCommand) = (reader.ValueTextEquals("events"u8), reader.ValueTextEquals("command"u8));
            reader.Read();
            if (isEvents)
            {
                events = JsonSerializer.Deserialize(ref reader, Default.IReadOnlyListExecutionEvent);
            }
            else if (isCommand)
            {
                atMs = ReadAtMs(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        return events is null ? throw new JsonException("a record body without events") : new RecordedEvents(atMs, events);
    }

    /// <summary>The time of the command that begins here; the reader is at its end afterwards.</summary>
    private static long ReadAtMs(ref Utf8JsonReader reader)
    {
        long atMs = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isTime = reader.ValueTextEquals("at_ms"u8);
            reader.Read();
            if (isTime)
            {
                atMs = reader.GetInt64();
            }
            else
            {
                reader.Skip();
            }
        }

        return atMs;
    }
}

/// <summary>The sealed part of a record: the command, and the events it led to.</summary>
public sealed record RecordBody(ExecutionCommand Command, IReadOnlyList<ExecutionEvent> Events);

/// <summary>Of a record's body, what a fold needs: the events, and the time of the command that led to them (Unix ms).</summary>
public readonly record struct RecordedEvents(long AtMs, IReadOnlyList<ExecutionEvent> Events);

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
