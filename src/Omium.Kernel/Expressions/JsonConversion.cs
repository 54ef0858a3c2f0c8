using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Kernel.Expressions;

/// <summary>JSON values as CEL values and back.</summary>
internal static class JsonConversion
{
    /// <summary>Largest magnitude of an integer that JSON carries between machines unharmed: 2^53 - 1.</summary>
    private const long IntegerMax = (long)EcmaNumber.SafeIntegerMax;

    /// <summary>Most bytes of one value as JSON: what <see cref="JsonLimits"/> accepts by default.</summary>
    private const long SizeMax = 16 * 1024 * 1024;

    /// <summary>From this magnitude on, canonical JSON prints an integral number with an exponent and not as an integer.</summary>
    private const double PrintedWithExponentMin = 1e21;

    private const double TwoTo63 = 9223372036854775808.0;

    public static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = CelOrder.DepthMax + 8,
        SkipValidation = true,
    };

    /// <summary>A copy that outlives its document: values are converted on demand, long after a document may be disposed.</summary>
    public static JsonElement Keep(JsonElement element) =>
        element.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? element.Clone() : element;

    public static CelValue ToCel(JsonElement element, JsonShape shape)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                return new JsonMap(element, shape);
            case JsonValueKind.Array:
                return new JsonList(element, shape);
            case JsonValueKind.String:
                return new CelString(Text(element));
            case JsonValueKind.Number:
                return Number(element, shape.Number);
            case JsonValueKind.True:
                return CelBool.True;
            case JsonValueKind.False:
                return CelBool.False;
            default:
                return CelNull.Instance;
        }
    }

    /// <summary>The text of a JSON string. A lone surrogate, which JSON allows and UTF-8 does not, becomes U+FFFD.</summary>
    public static string Text(JsonElement element)
    {
        try
        {
            return element.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            return Unescape(JsonMarshal.GetRawUtf8Value(element)[1..^1]);
        }
    }

    /// <summary>The name of a JSON property, as <see cref="Text"/> reads text.</summary>
    public static string Name(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return Unescape(JsonMarshal.GetRawUtf8PropertyName(property));
        }
    }

    public static bool TryToJson(CelValue value, out JsonElement json, out string? problem)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            problem = TryWrite(value, writer, SizeMax, 0);
            writer.Flush();
        }

        json = problem is null ? Parse(buffer.WrittenSpan) : default;
        return problem is null;
    }

    /// <summary>
    /// Writes a value as JSON. Null when it is written, else why it cannot be. It is given up soon after the writer holds
    /// <paramref name="sizeMax"/> bytes: a small value that holds itself many times over can be very large as JSON.
    /// </summary>
    public static string? TryWrite(CelValue value, Utf8JsonWriter writer, long sizeMax, int depth)
    {
        if (writer.BytesCommitted + writer.BytesPending > sizeMax)
        {
            return $"the value takes more than {sizeMax} bytes as JSON";
        }

        switch (value)
        {
            case CelNull:
                writer.WriteNullValue();
                return null;
            case CelBool flag:
                writer.WriteBooleanValue(flag.Value);
                return null;
            case CelInt { Value: > IntegerMax or < -IntegerMax } or CelUint { Value: > IntegerMax }:
                return $"the integer {value} is beyond 2^53 - 1, where readers of JSON no longer agree; make it a string";
            case CelInt or CelUint:
                writer.WriteRawValue(CelText.Scalar(value), skipInputValidation: true);
                return null;
            case CelDouble number when !double.IsFinite(number.Value):
                return $"{value} is no JSON number";
            case CelDouble number when Math.Abs(number.Value) is > IntegerMax and < PrintedWithExponentMin && Math.Truncate(number.Value) == number.Value:
                return $"the number {value} would be a JSON integer beyond 2^53 - 1, where readers no longer agree";
            case CelDouble number:
                writer.WriteRawValue(number.Value == 0 ? "0" : CelText.Number(number.Value), skipInputValidation: true);
                return null;
            case CelString or CelTimestamp or CelDuration:
                writer.WriteStringValue(CelText.Scalar(value));
                return null;
            case CelBytes bytes:
                writer.WriteBase64StringValue(bytes.Value.Span);
                return null;
            case OpaqueMap opaque:
                opaque.Reference.WriteTo(writer);
                return null;
            case CelList or CelMap when depth >= CelOrder.DepthMax:
                return $"the value is nested deeper than {CelOrder.DepthMax}";
            case CelList list:
                return TryWriteList(list, writer, sizeMax, depth);
            case CelMap map:
                return TryWriteMap(map, writer, sizeMax, depth);
            default:
                return $"a {value.Type.Name} has no JSON form";
        }
    }

    public static JsonElement Parse(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = CelOrder.DepthMax + 8 });
        return JsonElement.ParseValue(ref reader);
    }

    private static CelValue Number(JsonElement element, JsonNumberKind kind)
    {
        if (kind != JsonNumberKind.Double && element.TryGetInt64(out long integer))
        {
            return CelInt.Of(integer);
        }

        // Out of range reads as infinity, which compares as the very large number that it is.
        _ = element.TryGetDouble(out double number);
        bool isIntegral = Math.Truncate(number) == number && number is >= -TwoTo63 and < TwoTo63;
        return kind != JsonNumberKind.Double && isIntegral ? CelInt.Of((long)number) : new CelDouble(number);
    }

    private static string? TryWriteList(CelList list, Utf8JsonWriter writer, long sizeMax, int depth)
    {
        writer.WriteStartArray();
        for (int index = 0; index < list.Count; index++)
        {
            if (TryWrite(list[index], writer, sizeMax, depth + 1) is { } problem)
            {
                return problem;
            }
        }

        writer.WriteEndArray();
        return null;
    }

    private static string? TryWriteMap(CelMap map, Utf8JsonWriter writer, long sizeMax, int depth)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        writer.WriteStartObject();
        foreach (CelValue key in map.Keys)
        {
            string name = CelText.Scalar(key);
            if (!names.Add(name))
            {
                return $"two keys of a map are both \"{name}\" as text";
            }

            writer.WritePropertyName(name);
            if (map.TryGet(key, out CelValue value) && TryWrite(value, writer, sizeMax, depth + 1) is { } problem)
            {
                return problem;
            }
        }

        writer.WriteEndObject();
        return null;
    }

    private static string Unescape(ReadOnlySpan<byte> utf8)
    {
        string raw = Encoding.UTF8.GetString(utf8);
        var text = new StringBuilder(raw.Length);
        for (int index = 0; index < raw.Length; index++)
        {
            if (raw[index] != '\\')
            {
                text.Append(raw[index]);
                continue;
            }

            char escape = raw[++index];
            if (escape == 'u')
            {
                text.Append((char)Convert.ToUInt16(raw.Substring(index + 1, 4), 16));
                index += 4;
                continue;
            }

            text.Append(escape switch { 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', _ => escape });
        }

        // Encoding and decoding replaces every surrogate that stands alone.
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.ToString()));
    }
}

/// <summary>A JSON object as a map, converted when first read. Two threads that race for it do the same work twice and agree.</summary>
internal sealed class JsonMap(JsonElement element, JsonShape shape) : CelMap
{
    private CelMap? _converted;

    public override int Count => Converted.Count;

    public override IEnumerable<CelValue> Keys => Converted.Keys;

    private CelMap Converted => _converted ??= Convert();

    public override bool TryGet(CelValue key, out CelValue value) => Converted.TryGet(key, out value);

    private CelMap Convert()
    {
        var builder = new CelMapBuilder();
        foreach (JsonProperty property in element.EnumerateObject())
        {
            string name = JsonConversion.Name(property);
            builder.Set(new CelString(name), JsonConversion.ToCel(property.Value, shape.Property(name)));
        }

        return builder.Build();
    }
}

/// <summary>A JSON array as a list, converted when first read.</summary>
internal sealed class JsonList(JsonElement element, JsonShape shape) : CelList
{
    private CelValue[]? _converted;

    public override int Count => element.GetArrayLength();

    public override CelValue this[int index] => (_converted ??= Convert())[index];

    private CelValue[] Convert()
    {
        var values = new CelValue[element.GetArrayLength()];
        int index = 0;
        foreach (JsonElement item in element.EnumerateArray())
        {
            values[index] = JsonConversion.ToCel(item, shape.Item(index));
            index++;
        }

        return values;
    }
}
