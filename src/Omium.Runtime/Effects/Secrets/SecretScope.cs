using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Omium.Kernel.Executions;

namespace Omium.Runtime.Effects.Secrets;

/// <summary>A text or body names a secret that nobody holds.</summary>
internal sealed class SecretMissingException(string name) : Exception($"The secret '{name}' is not set.");

/// <summary>
/// The secrets of one call: puts values in place of markers, and takes them out of every text that leaves the call again, whether the
/// other side wrote them back plain, percent-encoded, Base64 or escaped for JSON.
/// </summary>
internal sealed class SecretScope
{
    /// <summary>
    /// Shortest secret that is also taken out of results. A shorter one would garble ordinary data (a secret "1" is no secret), so only
    /// error texts lose it.
    /// </summary>
    public const int ResultScrubCharsMin = 8;

    private const string Kind = "secret:";
    private readonly Dictionary<string, string> _known;
    private readonly Dictionary<string, string> _used = new(StringComparer.Ordinal);

    private SecretScope(Dictionary<string, string> known) => _known = known;

    /// <summary>The scope of a request, with every secret that it names and that its tenant has.</summary>
    public static async ValueTask<SecretScope> LoadAsync(ISecretSource source, ToolRequest request, CancellationToken cancellation)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        Collect(request.Url ?? request.Tool.Url ?? "", names);
        foreach (var value in request.Headers.Values)
        {
            Collect(value, names);
        }

        if (request.Body is { ValueKind: not JsonValueKind.Undefined } body)
        {
            Collect(body, names);
        }

        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            if (await source.FindAsync(request.Tenant, name, cancellation) is { } value)
            {
                known[name] = value;
            }
        }

        return new SecretScope(known);
    }

    /// <summary>True once a marker was replaced.</summary>
    public bool Any => _used.Count > 0;

    /// <summary>Replaces every marker.</summary>
    /// <param name="text">Rendered text.</param>
    /// <param name="encode">What to do to the value at this place (percent-encoding inside a URL); null = nothing.</param>
    /// <exception cref="SecretMissingException">A named secret is not set.</exception>
    public string Reveal(string text, Func<string, int, string>? encode = null)
    {
        if (!text.Contains(SecretMarker.Start, StringComparison.Ordinal))
        {
            return text;
        }

        var built = new StringBuilder(text.Length + 32);
        var from = 0;
        while (from < text.Length)
        {
            var start = text.IndexOf(SecretMarker.Start, from);
            var end = start < 0 ? -1 : text.IndexOf(SecretMarker.End, start);
            if (end < 0)
            {
                break;
            }

            built.Append(text, from, start - from);
            var inner = text[(start + 1)..end];
            if (inner.StartsWith(Kind, StringComparison.Ordinal))
            {
                var value = Value(inner[Kind.Length..]);
                built.Append(encode is null ? value : encode(value, start));
            }

            from = end + 1;
        }

        return built.Append(text, from, text.Length - from).ToString();
    }

    /// <summary>Replaces every marker in the strings of a JSON value, names of members left alone.</summary>
    /// <exception cref="SecretMissingException">A named secret is not set.</exception>
    public JsonElement Reveal(JsonElement value)
    {
        var raw = value.GetRawText();
        return raw.Contains(SecretMarker.Start, StringComparison.Ordinal) || raw.Contains(@"\ue000", StringComparison.OrdinalIgnoreCase)
            ? JsonSerializer.SerializeToElement(RevealNode(JsonNode.Parse(raw)))
            : value;
    }

    /// <summary>Takes every value used in this call out of a text for people.</summary>
    public string Scrub(string text) => Scrub(text, 1);

    /// <summary>Takes every value of at least <see cref="ResultScrubCharsMin"/> characters out of a result.</summary>
    public string ScrubResult(string text) => Scrub(text, ResultScrubCharsMin);

    /// <summary>
    /// The same of a result that was read as JSON: a character can be escaped in more ways than can be looked for in the text, and once read there is
    /// one way only.
    /// </summary>
    public JsonElement ScrubResult(JsonElement read)
    {
        try
        {
            if (!Any || !Holds(read, _used.Values.Min(value => value.Length)))
            {
                return read;
            }

            var buffer = new ArrayBufferWriter<byte>();
            using (var writer = new Utf8JsonWriter(buffer))
            {
                Write(read, writer);
            }

            return JsonElement.Parse(buffer.WrittenSpan);
        }
        catch (InvalidOperationException)
        {
            return read; // Half a surrogate pair: no text at all, and refused as such where results are made canonical.
        }
    }

    private bool Holds(JsonElement value, int charsMin) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().Any(member => Holds(member.Name, charsMin) || Holds(member.Value, charsMin)),
        JsonValueKind.Array => value.EnumerateArray().Any(item => Holds(item, charsMin)),
        JsonValueKind.String => Holds(value.GetString()!, charsMin),
        _ => false,
    };

    private bool Holds(string text, int charsMin) => text.Length >= charsMin && ScrubResult(text) != text;

    private void Write(JsonElement value, Utf8JsonWriter writer)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject())
                {
                    writer.WritePropertyName(ScrubResult(member.Name));
                    Write(member.Value, writer);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Write(item, writer);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(ScrubResult(value.GetString()!));
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    private string Scrub(string text, int charsMin)
    {
        foreach (var (name, value) in _used.OrderByDescending(pair => pair.Value.Length))
        {
            if (value.Length < charsMin)
            {
                continue;
            }

            var shown = $"[secret:{name}]";
            text = text.Replace(value, shown, StringComparison.Ordinal);
            foreach (var form in Forms(value))
            {
                text = form.Length >= charsMin && form != value ? text.Replace(form, shown, StringComparison.OrdinalIgnoreCase) : text;
            }
        }

        return text;
    }

    private static IEnumerable<string> Forms(string value)
    {
        yield return Uri.EscapeDataString(value);
        yield return Convert.ToBase64String(Encoding.UTF8.GetBytes(value));
        yield return JsonEncodedText.Encode(value).ToString();
        var relaxed = JsonEncodedText.Encode(value, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();
        yield return relaxed;
        yield return relaxed.Replace("/", "\\/", StringComparison.Ordinal); // So writes PHP, among others.
    }

    private string Value(string name)
    {
        if (!_known.TryGetValue(name, out var value))
        {
            throw new SecretMissingException(name);
        }

        if (value.Length > 0)
        {
            _used[name] = value;
        }

        return value;
    }

    private static void Collect(string text, HashSet<string> names)
    {
        for (var start = text.IndexOf(SecretMarker.Start); start >= 0; start = text.IndexOf(SecretMarker.Start, start + 1))
        {
            if (text.IndexOf(SecretMarker.End, start) is > 0 and var end && text[(start + 1)..end] is var inner && inner.StartsWith(Kind, StringComparison.Ordinal))
            {
                names.Add(inner[Kind.Length..]);
            }
        }
    }

    private static void Collect(JsonElement value, HashSet<string> names)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                Collect(value.GetString()!, names);
                break;
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    Collect(member.Value, names);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                {
                    Collect(item, names);
                }

                break;
        }
    }

    private JsonNode? RevealNode(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                return new JsonObject(members.Select(pair => KeyValuePair.Create(pair.Key, RevealNode(pair.Value))));
            case JsonArray items:
                return new JsonArray([.. items.Select(RevealNode)]);
            case JsonValue leaf when leaf.TryGetValue<string>(out var text):
                return JsonValue.Create(Reveal(text));
            default:
                return node?.DeepClone();
        }
    }
}
