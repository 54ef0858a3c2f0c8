using System.Text;
using System.Text.Json.Nodes;

namespace Omium.Api.Tests.Fuzzing;

/// <summary>Values that programs stumble over, and values that fit a schema.</summary>
internal sealed class HostileValues(Random random, JsonObject components, IReadOnlyList<JsonNode> specs)
{
    private const int DepthMax = 6;

    private static readonly string[] Texts =
    [
        "", " ", "\0", "a\0b", "..", "../../../../etc/passwd", "%2e%2e%2f", "%00", "%", "%zz", "'", "\"", "' OR '1'='1", "1; DROP TABLE index_row", "${{ input }}", "${{ 1/0 }}", "{0}", "%s%s%n",
        "<script>alert(1)</script>", "\r\nSet-Cookie: a=b", "null", "true", "-1", "0", "1e400", "9223372036854775808", "NaN", "Infinity", "-0", "0x10", "１２", "é", "e\u0301", "\u202Egnirts", "\uFEFF",
        "😀", "\uD800", "\uFFFE", "İ", "ß", "ﬃ", "a/b", "a\\b", "a#b", "a?b=c", "a&b", "a;b", "exe_", "exe_00000000000000000000000000", "EXE_00000000000000000000000000", "rev_x", "key_x",
        "2026-01-01", "2026-13-45T99:99:99Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "-271821-04-20T00:00:00Z", "__proto__", "constructor", "omium_ref", "all", "*",
    ];

    private static readonly string[] RawNumbers = ["0", "-0", "1", "-1", "1.5", "1e2", "1e400", "-1e400", "9007199254740993", "2147483648", "9223372036854775808", "0.1e-400", "123456789012345678901234567890"];

    /// <summary>A text that is seldom expected; seldom a very long one.</summary>
    public string Text() => random.Next(20) switch
    {
        0 => new string('a', random.Next(200, 9_000)),
        1 => string.Concat(Enumerable.Range(0, random.Next(1, 40)).Select(_ => char.ConvertFromUtf32(random.Next(0x20, 0xD7FF)))),
        _ => Texts[random.Next(Texts.Length)],
    };

    /// <summary>A value that fits a schema, as far as the schema says.</summary>
    public JsonNode? Fitting(JsonNode schema, int depth = 0)
    {
        if (schema["$ref"]?.ToString() is { } reference)
        {
            return Fitting(components[reference.Split('/')[^1]]!, depth);
        }

        if (schema["anyOf"] is JsonArray either)
        {
            return Fitting(either[random.Next(either.Count)]!, depth);
        }

        if (schema["enum"] is JsonArray words)
        {
            return words[random.Next(words.Count)]?.DeepClone();
        }

        var type = schema["type"] is JsonArray types ? types[random.Next(types.Count)]!.ToString() : schema["type"]?.ToString();
        return type switch
        {
            "string" when schema["format"]?.ToString() == "date-time" => "2026-05-01T00:00:00Z",
            "string" => random.Next(3) == 0 ? Text() : "word",
            "integer" => random.Next(0, 200),
            "number" => random.NextDouble() * 100,
            "boolean" => random.Next(2) == 0,
            "null" => null,
            "array" => new JsonArray([.. Enumerable.Range(0, depth > DepthMax ? 0 : random.Next(3)).Select(_ => Fitting(schema["items"]!, depth + 1))]),
            "object" => Members(schema, depth),
            _ => Any(depth),
        };
    }

    /// <summary>The value with one place changed to something else.</summary>
    public JsonNode? Changed(JsonNode? value)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } members:
                var name = members.ElementAt(random.Next(members.Count)).Key;
                switch (random.Next(6))
                {
                    case 0:
                        members.Remove(name);
                        break;
                    case 1:
                        members[Text()] = Any(3);
                        break;
                    default:
                        var old = members[name];
                        members[name] = null;
                        members[name] = random.Next(3) == 0 ? Any(2) : Changed(old);
                        break;
                }

                return members;
            case JsonArray { Count: > 0 } items:
                var place = random.Next(items.Count);
                var item = items[place];
                items[place] = null;
                switch (random.Next(8))
                {
                    case 0:
                        items.RemoveAt(place);
                        break;
                    case 1:
                        break; // Null it stays.
                    default:
                        items[place] = Changed(item);
                        break;
                }

                return items;
            default:
                return Any(3);
        }
    }

    /// <summary>A value that nobody asked for.</summary>
    public JsonNode? Any(int depth) => random.Next(depth > DepthMax ? 6 : 9) switch
    {
        0 => null,
        1 => random.Next(2) == 0,
        2 or 3 => Text(),
        4 or 5 => JsonNode.Parse(RawNumbers[random.Next(RawNumbers.Length)]),
        6 => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Any(depth + 1))]),
        7 => specs[random.Next(specs.Count)].DeepClone(),
        _ => Object(depth),
    };

    /// <summary>A body that is broken below the level of values.</summary>
    public byte[] Broken(byte[] body) => random.Next(9) switch
    {
        0 => body[..random.Next(body.Length + 1)],
        1 => [.. body, .. body],
        2 => Encoding.ASCII.GetBytes(new string('[', random.Next(1, 20_000))),
        3 => Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", random.Next(1, 3_000)))),
        4 => [0xEF, 0xBB, 0xBF, .. body],
        5 => [.. body.Select(one => random.Next(20) == 0 ? (byte)random.Next(256) : one)],
        6 => [],
        7 => Encoding.UTF8.GetBytes("{\"a\": 1, \"a\": 2}"),
        _ => [.. Enumerable.Range(0, random.Next(300)).Select(_ => (byte)random.Next(256))],
    };

    /// <summary>YAML that is not what it seems.</summary>
    public byte[] Yaml(string sound) => Encoding.UTF8.GetBytes(random.Next(7) switch
    {
        0 => "a: &a [x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: [*d, *d, *d, *d, *d, *d, *d, *d]\n",
        1 => "&a [*a]",
        2 => "\tomium: v0",
        3 => $"omium: v0\nname: {Text()}\nsteps: [{Text()}]",
        4 => string.Concat(Enumerable.Repeat("- ", 5_000)),
        5 => sound[..random.Next(sound.Length)],
        _ => sound.Insert(random.Next(sound.Length), Text()),
    });

    private JsonObject Members(JsonNode schema, int depth)
    {
        var members = new JsonObject();
        var required = (schema["required"]?.AsArray() ?? []).Select(name => name!.ToString()).ToHashSet();
        foreach (var (name, property) in schema["properties"]?.AsObject() ?? [])
        {
            if (required.Contains(name) || (depth <= DepthMax && random.Next(2) == 0))
            {
                members[name] = name == "spec" && random.Next(4) > 0 ? specs[random.Next(specs.Count)].DeepClone() : Fitting(property!, depth + 1);
            }
        }

        return members;
    }

    private JsonObject Object(int depth)
    {
        var members = new JsonObject();
        for (var member = random.Next(4); member > 0; member--)
        {
            members[Text()] = Any(depth + 1);
        }

        return members;
    }
}
