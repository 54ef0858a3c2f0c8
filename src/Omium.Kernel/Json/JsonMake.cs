using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Omium.Kernel.Json;

/// <summary>Makes canonical elements from what the kernel itself computes.</summary>
public static class JsonMake
{
    /// <summary>Escapes what JSON asks for and no more: what is written here is made canonical next, and the writer's own habit borrows six times the room first.</summary>
    internal static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>null.</summary>
    public static readonly JsonElement Null = CanonicalJson.ParseTrusted("null"u8);

    /// <summary>{}.</summary>
    public static readonly JsonElement EmptyObject = CanonicalJson.ParseTrusted("{}"u8);

    /// <summary>A string.</summary>
    public static JsonElement Text(string text) => Build(writer => writer.WriteStringValue(text));

    /// <summary>An object of these members (undefined elements are left out).</summary>
    public static JsonElement Object(params ReadOnlySpan<(string Name, JsonElement Value)> members)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in members)
            {
                if (value.ValueKind != JsonValueKind.Undefined)
                {
                    writer.WritePropertyName(name);
                    value.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        return Canonical(buffer.WrittenSpan);
    }

    /// <summary>An array of these elements.</summary>
    public static JsonElement Array(IEnumerable<JsonElement> items) => Build(writer =>
    {
        writer.WriteStartArray();
        foreach (var item in items)
        {
            item.WriteTo(writer);
        }

        writer.WriteEndArray();
    });

    /// <summary>An integer.</summary>
    public static JsonElement Integer(long value) => CanonicalJson.ParseTrusted(System.Text.Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));

    /// <summary>A finite number.</summary>
    public static JsonElement Number(double value) => Build(writer => writer.WriteNumberValue(value));

    /// <summary>A boolean.</summary>
    public static JsonElement Boolean(bool value) => CanonicalJson.ParseTrusted(value ? "true"u8 : "false"u8);

    /// <summary>An array of strings.</summary>
    public static JsonElement Texts(IEnumerable<string> texts) => Build(writer =>
    {
        writer.WriteStartArray();
        foreach (var text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    });

    private static JsonElement Build(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            write(writer);
        }

        return Canonical(buffer.WrittenSpan);
    }

    private static JsonElement Canonical(ReadOnlySpan<byte> utf8) =>
        CanonicalJson.ParseTrusted(CanonicalJson.Canonicalize(CanonicalJson.ParseTrusted(utf8)));
}
