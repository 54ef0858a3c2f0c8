using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Kernel.Specs.Reading;

/// <summary>
/// Reads the members of one JSON object, strictly: a member of the wrong type is a finding and reads as absent; members that nobody
/// asked for are findings of <see cref="Close"/>. Every member that may occur must be asked for, whatever the others say.
/// </summary>
internal sealed class ObjectReader
{
    private readonly JsonElement _source;
    private readonly string _what;
    private readonly List<string> _known = [];

    private ObjectReader(JsonElement source, string pointer, string what, FindingList findings)
    {
        (_source, Pointer, _what, Findings) = (source, pointer, what, findings);
    }

    public string Pointer { get; }

    public FindingList Findings { get; }

    /// <param name="source">What should be an object.</param>
    /// <param name="pointer">Where it is.</param>
    /// <param name="what">What people call it, with article: "a step".</param>
    /// <param name="findings">Where problems go.</param>
    public static ObjectReader? Open(JsonElement source, string pointer, string what, FindingList findings)
    {
        if (source.ValueKind == JsonValueKind.Object)
        {
            return new ObjectReader(source, pointer, what, findings);
        }

        ReportType(source, pointer, $"{what} must be an object", findings);
        return null;
    }

    public static void ReportType(JsonElement actual, string pointer, string expectation, FindingList findings)
    {
        var sentence = char.ToUpperInvariant(expectation[0]) + expectation[1..];
        findings.Error(SpecCodes.WrongType, pointer, $"{sentence}; this is {NameOf(actual)}.", "Write a value of the expected type, or leave the property out.");
    }

    public string At(string name) => JsonPointer.Append(Pointer, name);

    public bool Has(string name) => _source.TryGetProperty(name, out _);

    public JsonElement? Any(string name)
    {
        _known.Add(name);
        return _source.TryGetProperty(name, out var value) ? value : null;
    }

    public string? Text(string name)
    {
        if (Any(name) is not { } value)
        {
            return null;
        }

        return TextOf(value, At(name), name);
    }

    public string RequiredText(string name)
    {
        RequireMember(name);
        return Text(name) ?? "";
    }

    public void RequireMember(string name)
    {
        if (!Has(name))
        {
            Findings.Error(SpecCodes.RequiredMissing, Pointer, $"\"{name}\" is missing from {_what}.", $"Add \"{name}\".");
        }
    }

    public int? Integer(string name)
    {
        if (Any(name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number))
        {
            return number;
        }

        ReportType(value, At(name), $"\"{name}\" must be a whole number", Findings);
        return null;
    }

    public double? Number(string name)
    {
        if (Any(name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number)
        {
            return value.GetDouble();
        }

        ReportType(value, At(name), $"\"{name}\" must be a number", Findings);
        return null;
    }

    public bool? Flag(string name)
    {
        if (Any(name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return value.GetBoolean();
        }

        ReportType(value, At(name), $"\"{name}\" must be true or false", Findings);
        return null;
    }

    public TimeSpan? Duration(string name)
    {
        if (Any(name) is not { } value)
        {
            return null;
        }

        if (DurationText.TryRead(value, out var duration))
        {
            return duration;
        }

        Findings.Error(
            SpecCodes.InvalidDuration, At(name), $"\"{name}\" is not a duration.", "Write 500ms, 30s, 5m, 24h, an ISO 8601 duration (PT30S), or a number of seconds.");
        return null;
    }

    /// <summary>One of a few words, as itself.</summary>
    public string? Word(string name, params (string Word, string Meaning)[] choices)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        return Match(name, text, choices) is { } index ? choices[index].Meaning : null;
    }

    /// <summary>One of a few words.</summary>
    public T? Choice<T>(string name, params (string Word, T Meaning)[] choices)
        where T : struct
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        return Match(name, text, choices) is { } index ? choices[index].Meaning : null;
    }

    public ObjectReader? Object(string name, string what) => Any(name) is { } value ? Open(value, At(name), what, Findings) : null;

    /// <summary>The items of an array, with their pointers; nothing when absent or no array.</summary>
    public IEnumerable<(JsonElement Item, string Pointer)> Items(string name)
    {
        if (Any(name) is not { } value)
        {
            return [];
        }

        if (value.ValueKind == JsonValueKind.Array)
        {
            return value.EnumerateArray().Select((item, index) => (item, JsonPointer.Append(At(name), index)));
        }

        ReportType(value, At(name), $"\"{name}\" must be a list", Findings);
        return [];
    }

    /// <summary>The members of an object, with their pointers; nothing when absent or no object.</summary>
    public IEnumerable<(string Name, JsonElement Value, string Pointer)> Members(string name)
    {
        if (Any(name) is not { } value)
        {
            return [];
        }

        if (value.ValueKind == JsonValueKind.Object)
        {
            return value.EnumerateObject().Select(member => (member.Name, member.Value, JsonPointer.Append(At(name), member.Name)));
        }

        ReportType(value, At(name), $"\"{name}\" must be an object", Findings);
        return [];
    }

    /// <summary>A list of texts. An item of another type is a finding and reads as the empty text, so that indexes stay.</summary>
    public IReadOnlyList<string> Texts(string name) =>
        Items(name).Select(item => TextOf(item.Item, item.Pointer, $"an item of \"{name}\"") ?? "").ToList();

    /// <summary><c>{schema: ...}</c>, as <c>input</c> and <c>output</c> are written.</summary>
    public JsonElement? SchemaOf(string name)
    {
        if (Object(name, $"\"{name}\"") is not { } reader)
        {
            return null;
        }

        reader.RequireMember("schema");
        var schema = reader.Any("schema");
        reader.Close();
        if (schema is { ValueKind: not (JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False) } wrong)
        {
            ReportType(wrong, reader.At("schema"), "a schema must be an object, true or false", Findings);
            return null;
        }

        return schema;
    }

    /// <summary>Reports members that were never asked for.</summary>
    public void Close()
    {
        foreach (var member in _source.EnumerateObject())
        {
            if (!_known.Contains(member.Name))
            {
                Findings.Error(
                    SpecCodes.UnknownProperty,
                    At(member.Name),
                    $"{char.ToUpperInvariant(_what[0])}{_what[1..]} has no property \"{Shorten(member.Name)}\".",
                    Findings.Mend(member.Name, _known, $"Remove it; known here: {string.Join(", ", _known)}."));
            }
        }
    }

    public static string Shorten(string text) => text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 80), "…");

    public static string NameOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "true or false",
        _ => "null",
    };

    private int? Match<T>(string name, string text, (string Word, T Meaning)[] choices)
    {
        var index = Array.FindIndex(choices, choice => choice.Word == text);
        if (index >= 0)
        {
            return index;
        }

        var words = choices.Select(choice => choice.Word).ToList();
        Findings.Error(
            SpecCodes.InvalidValue,
            At(name),
            $"\"{name}\" cannot be \"{Shorten(text)}\".",
            Findings.Mend(text, words, $"Write one of: {string.Join(", ", words)}."));
        return null;
    }

    private string? TextOf(JsonElement value, string pointer, string name)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            return value.GetString();
        }

        ReportType(value, pointer, name.StartsWith("an ", StringComparison.Ordinal) ? $"{name} must be a text" : $"\"{name}\" must be a text", Findings);
        return null;
    }
}
