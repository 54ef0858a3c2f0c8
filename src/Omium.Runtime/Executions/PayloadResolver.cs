using System.Buffers;
using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Runtime.Executions;

/// <summary>Puts large values aside on the way in, and back in place on the way out.</summary>
public static class PayloadResolver
{
    /// <summary>
    /// A canonical value as commands carry it: itself when it is small, else a reference with its bytes in <paramref name="stored"/>.
    /// </summary>
    public static JsonElement Intern(JsonElement canonical, ref Dictionary<string, byte[]>? stored)
    {
        var bytes = PayloadReference.BytesOf(canonical);
        if (bytes.Length <= PayloadReference.InlineBytesMax)
        {
            return canonical;
        }

        var copy = bytes.ToArray();
        var digest = CanonicalJson.Digest(copy);
        (stored ??= [])[digest] = copy;
        return PayloadReference.Of(digest, copy.Length);
    }

    /// <summary>True when a value from outside uses the reserved name of references anywhere.</summary>
    public static bool UsesReservedName(JsonElement value) => PayloadReference.IsNamedIn(value);

    /// <summary>
    /// The value with every reference replaced by what it stands for, also those inside of what was referenced. Throws
    /// <see cref="InvalidDataException"/> when a payload is missing.
    /// </summary>
    public static async ValueTask<JsonElement> MaterializeAsync(JsonElement value, Func<string, ValueTask<byte[]?>> read)
    {
        if (!MayRefer(value))
        {
            return value;
        }

        var found = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        var open = new Queue<string>(References(value));
        while (open.TryDequeue(out var digest))
        {
            if (!found.ContainsKey(digest))
            {
                found[digest] = CanonicalJson.ParseTrusted(await read(digest) ?? throw new InvalidDataException($"payload {digest} is missing"));
                foreach (var inner in References(found[digest]))
                {
                    open.Enqueue(inner);
                }
            }
        }

        return Replace(value, found);
    }

    /// <summary>The value with every reference that <paramref name="found"/> knows replaced; the others stay.</summary>
    public static JsonElement Replace(JsonElement value, IReadOnlyDictionary<string, JsonElement> found)
    {
        if (found.Count == 0 || !References(value).Any())
        {
            return value;
        }

        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(value, writer, found);
        }

        return CanonicalJson.ParseTrusted(CanonicalJson.Canonicalize(CanonicalJson.ParseTrusted(buffer.WrittenSpan)));
    }

    /// <summary>
    /// False when a canonical value refers to nothing: the name of a reference stands nowhere in its bytes (canonical text writes it in one way only).
    /// A look at the bytes costs far less than a walk, and most values refer to nothing.
    /// </summary>
    public static bool MayRefer(JsonElement canonical) =>
        canonical.ValueKind is JsonValueKind.Object or JsonValueKind.Array && PayloadReference.BytesOf(canonical).IndexOf(MemberBytes) >= 0;

    private static ReadOnlySpan<byte> MemberBytes => "\"omium_ref\""u8;

    /// <summary>Digests of the payloads that a canonical value refers to, in order, with repetitions.</summary>
    public static IEnumerable<string> References(JsonElement value) => !MayRefer(value) ? [] : value.ValueKind switch
    {
        JsonValueKind.Object when PayloadReference.TryRead(value, out var digest, out _) => [digest],
        JsonValueKind.Object => value.EnumerateObject().SelectMany(member => References(member.Value)),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(References),
        _ => [],
    };

    private static void Write(JsonElement value, Utf8JsonWriter writer, IReadOnlyDictionary<string, JsonElement> found)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object when PayloadReference.TryRead(value, out var digest, out _) && found.TryGetValue(digest, out var payload):
                Write(payload, writer, found);
                break;
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    Write(member.Value, writer, found);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Write(item, writer, found);
                }

                writer.WriteEndArray();
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }
}
