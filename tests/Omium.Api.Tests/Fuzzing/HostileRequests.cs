using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Omium.Api.Tests.OpenApi;

namespace Omium.Api.Tests.Fuzzing;

/// <summary>
/// Requests made from the OpenAPI document, most of them wrong in one way: in the path, the query, a header, a value of the body or its bytes. The same seed
/// and number give the same request, whatever came before.
/// </summary>
internal sealed class HostileRequests(Document document, string key, int seed, KnownNames known, IReadOnlyList<JsonNode> specs, string yaml)
{
    private static readonly JsonSerializerOptions Written = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string[] MediaTypes = ["text/plain", "application/xml", "application/json; charset=utf-16", "text/yaml", "application/merge-patch+json", "", "a/b;c", "application/x-www-form-urlencoded"];
    private static readonly string[] Methods = ["HEAD", "OPTIONS", "PATCH", "TRACE", "BREW", "DELETE", "PUT"];
    private readonly (string Method, string Pattern, JsonObject Operation)[] _operations = [.. document.Operations];
    private readonly JsonObject _components = document.Root["components"]!["schemas"]!.AsObject();

    /// <summary>The request of a number.</summary>
    public RawRequest Make(int number)
    {
        var random = new Random(Mixed(seed, number));
        var values = new HostileValues(random, _components, specs);
        var (method, pattern, operation) = _operations[random.Next(_operations.Length)];
        var wrong = random.Next(6); // 5: nothing, on purpose; the values are still odd here and there.
        var headers = new List<(string Name, string Value)> { ("Authorization", $"Bearer {(random.Next(25) == 0 ? Header(values.Text()) : key)}") };
        var target = Path(random, values, pattern, wrong == 0) + Query(random, values, operation, wrong == 1);
        AddHeaders(random, values, operation, wrong == 2, headers);
        var body = Body(random, values, operation, wrong, headers);
        return new RawRequest(random.Next(30) == 0 ? Methods[random.Next(Methods.Length)] : method, target, headers, body ?? (method is "POST" or "PUT" ? [] : null));
    }

    /// <summary>Seed and number as one seed, the same in every process (which HashCode is not).</summary>
    private static int Mixed(int seed, int number)
    {
        var mixed = ((ulong)(uint)seed << 32 | (uint)number) + 0x9E3779B97F4A7C15; // SplitMix64 (Steele, Lea, Flood 2014): https://doi.org/10.1145/2714064.2660195
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return (int)(mixed ^ (mixed >> 31));
    }

    private string Path(Random random, HostileValues values, string pattern, bool isWrong) => string.Join('/', pattern.Split('/').Select(segment =>
        !segment.StartsWith('{') ? segment
        : isWrong || random.Next(6) == 0 ? (random.Next(4) == 0 ? Printable(values.Text()) : Uri.EscapeDataString(values.Text()))
        : Uri.EscapeDataString(known.Of(random, pattern, segment.Trim('{', '}')) ?? values.Text())));

    private static string Query(Random random, HostileValues values, JsonObject operation, bool isWrong)
    {
        var query = new StringBuilder();
        foreach (var parameter in operation["parameters"]?.AsArray() ?? [])
        {
            if (parameter!["in"]!.ToString() == "query" && (parameter["required"] is not null || random.Next(2) == 0))
            {
                var value = isWrong && random.Next(2) == 0 ? values.Text() : values.Fitting(parameter["schema"]!)?.ToString() ?? "";
                query.Append(CultureInfo.InvariantCulture, $"{(query.Length == 0 ? '?' : '&')}{parameter["name"]}={Uri.EscapeDataString(value)}");
            }
        }

        if (isWrong && random.Next(4) == 0)
        {
            query.Append(query.Length == 0 ? '?' : '&').Append(Printable(values.Text())).Append("&&=&limit=1&limit=2");
        }

        return query.ToString();
    }

    private static void AddHeaders(Random random, HostileValues values, JsonObject operation, bool isWrong, List<(string Name, string Value)> headers)
    {
        foreach (var parameter in operation["parameters"]?.AsArray() ?? [])
        {
            if (parameter!["in"]!.ToString() == "header" && random.Next(3) == 0)
            {
                var name = parameter["name"]!.ToString();
                headers.Add((name, name == "Prefer" ? "wait=1" : isWrong ? Header(values.Text()) : string.Create(CultureInfo.InvariantCulture, $"k{random.Next(50)}")));
            }
        }

        if (isWrong)
        {
            headers.Add((random.Next(4) switch { 0 => "Accept", 1 => "If-Match", 2 => "Last-Event-ID", _ => "X-Forwarded-For" }, Header(values.Text())));
        }
    }

    private byte[]? Body(Random random, HostileValues values, JsonObject operation, int wrong, List<(string Name, string Value)> headers)
    {
        if (operation["requestBody"]?["content"] is not JsonObject content)
        {
            return random.Next(10) == 0 ? values.Broken("{}"u8.ToArray()) : null;
        }

        if (content.ContainsKey("text/yaml") && random.Next(3) == 0)
        {
            headers.Add(("Content-Type", "text/yaml"));
            return values.Yaml(yaml);
        }

        var value = values.Fitting(content["application/json"]!["schema"]!);
        known.PutIn(random, value);
        for (var change = wrong == 3 ? random.Next(1, 4) : 0; change > 0; change--)
        {
            value = values.Changed(value);
        }

        var body = Encoding.UTF8.GetBytes(value?.ToJsonString(Written) ?? "null");
        headers.Add(("Content-Type", random.Next(15) == 0 ? MediaTypes[random.Next(MediaTypes.Length)] : "application/json"));
        return wrong == 4 ? values.Broken(body) : body;
    }

    /// <summary>What can stand in a request line as it is.</summary>
    private static string Printable(string text) => string.Concat(text.Where(letter => letter is > ' ' and < '\x7f'));

    /// <summary>What can stand in a header.</summary>
    private static string Header(string text) => string.Concat(text.Where(letter => letter is >= ' ' and < '\x7f')).Trim();
}

/// <summary>Names of what there is, so that requests reach further than "there is no such thing".</summary>
internal sealed class KnownNames
{
    /// <summary>By the segment before the parameter, or by the parameter's name.</summary>
    public Dictionary<string, IReadOnlyList<string>> Names { get; } = new(StringComparer.Ordinal);

    public string? Of(Random random, string pattern, string parameter)
    {
        var before = pattern[..(pattern.IndexOf($"{{{parameter}}}", StringComparison.Ordinal) - 1)].Split('/')[^1];
        return (Names.GetValueOrDefault(before) ?? Names.GetValueOrDefault(parameter)) is { Count: > 0 } names ? names[random.Next(names.Count)] : null;
    }

    /// <summary>Puts known names into the members of a body that are called so.</summary>
    public void PutIn(Random random, JsonNode? body)
    {
        if (body is not JsonObject members)
        {
            return;
        }

        if (members.ContainsKey("queues"))
        {
            members["wait_ms"] = 0; // Nobody has the time.
        }

        foreach (var (name, value) in members.ToArray())
        {
            if (value is JsonValue && Names.TryGetValue(name, out var names) && names.Count > 0 && random.Next(4) > 0)
            {
                members[name] = names[random.Next(names.Count)];
            }
            else if (name == "wait_ms" && value is not null)
            {
                members[name] = 0;
            }
        }
    }
}
