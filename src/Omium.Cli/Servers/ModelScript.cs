using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Omium.Cli.Servers;

/// <summary>How a scripted answer is broken.</summary>
internal enum ScriptedDamage
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>The body (or a streamed event) is JSON that ends too early.</summary>
    TruncatedJson,

    /// <summary>The body is an HTML page with status 200.</summary>
    NotJson,

    /// <summary>Status 200 and no body.</summary>
    Empty,

    /// <summary>The connection is cut in the middle of the body.</summary>
    CutStream,
}

/// <summary>When a rule serves; every part that is given must hold. Texts are compared as written.</summary>
/// <param name="Agents">The system message's line <c>Role:</c> (or, without such a line, the system message) holds each.</param>
/// <param name="System">The system messages hold each.</param>
/// <param name="User">The user messages hold each.</param>
/// <param name="Prompt">The messages, of whatever role, hold each.</param>
/// <param name="Turn">1 = no assistant message yet, and so on.</param>
/// <param name="Nth">1 = the first request that meets all the other parts, and so on.</param>
internal sealed record ScriptedWhen(
    IReadOnlyList<string> Agents, IReadOnlyList<string> System, IReadOnlyList<string> User, IReadOnlyList<string> Prompt, int? Turn, int? Nth);

/// <summary>A call of a tool in a scripted answer.</summary>
internal sealed record ScriptedCall(string Name, string Arguments);

/// <summary>An error that is answered in place of a completion.</summary>
internal sealed record ScriptedError(int Status, string Code, string Message, string? RetryAfter, string? RetryAfterMs);

/// <summary>One rule of a script.</summary>
internal sealed record ScriptedRule(
    int Number, ScriptedWhen When, string? Content, IReadOnlyList<ScriptedCall> Calls, string? Refusal, string? FinishReason, TimeSpan Delay,
    ScriptedError? Error, ScriptedDamage Damage, int? Times, long? InputTokens, long? OutputTokens);

/// <summary>A script: rules in order, the first that matches serves. docs/reference/scripted-model.md has the format.</summary>
internal sealed class ModelScript
{
    private static readonly string[] RuleMembers =
        ["when", "answer", "delay", "error", "malformed", "refusal", "finish_reason", "times", "usage", "name"];

    private ModelScript(IReadOnlyList<ScriptedRule> rules) => Rules = rules;

    /// <summary>The rules.</summary>
    public IReadOnlyList<ScriptedRule> Rules { get; }

    /// <summary>Reads a script: a list of rules, or a mapping with the list under <c>rules</c>.</summary>
    /// <exception cref="UsageException">It cannot be read; the message names the rule and the line.</exception>
    public static ModelScript Read(string yaml)
    {
        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(yaml));
            var root = stream.Documents.Count == 0 ? null : stream.Documents[0].RootNode;
            var rules = root is YamlMappingNode mapping ? Member(mapping, "rules") : root;
            return rules is YamlSequenceNode list
                ? new([.. list.Children.Select((rule, index) => ReadRule(Mapping(rule, $"rule {index + 1}"), index + 1))])
                : throw new UsageException("The script is not a list of rules.");
        }
        catch (YamlException wrong)
        {
            throw new UsageException($"The script is not YAML: line {wrong.Start.Line}: {wrong.Message}");
        }
    }

    private static ScriptedRule ReadRule(YamlMappingNode rule, int number)
    {
        Known(rule, $"rule {number}", RuleMembers);
        var when = Member(rule, "when") is { } written ? Mapping(written, "when") : [];
        Known(when, "when", "agent", "system_contains", "user_contains", "prompt_contains", "turn", "nth");
        var answer = Member(rule, "answer") is { } given ? Mapping(given, "answer") : [];
        Known(answer, "answer", "content", "json", "tool_calls");
        var usage = Member(rule, "usage") is { } counted ? Mapping(counted, "usage") : [];
        Known(usage, "usage", "input_tokens", "output_tokens");
        return new(
            number,
            new(Texts(when, "agent"), Texts(when, "system_contains"), Texts(when, "user_contains"), Texts(when, "prompt_contains"),
                Integer(when, "turn"), Integer(when, "nth")),
            Member(answer, "json") is { } json ? ToJson(json)?.ToJsonString() ?? "null" : Text(answer, "content"),
            [.. Sequence(answer, "tool_calls").Select(ReadCall)],
            Text(rule, "refusal"), Text(rule, "finish_reason"),
            Text(rule, "delay") is { } delay ? DurationText.Read(delay, "delay") : TimeSpan.Zero,
            Member(rule, "error") is { } error ? ReadError(Mapping(error, "error")) : null,
            ReadDamage(rule), Integer(rule, "times"), Integer(usage, "input_tokens"), Integer(usage, "output_tokens"));
    }

    private static ScriptedCall ReadCall(YamlNode node)
    {
        var call = Mapping(node, "tool_calls");
        Known(call, "tool_calls", "name", "arguments");
        var arguments = Member(call, "arguments");
        return new(
            Text(call, "name") ?? throw Wrong(call, "a tool call needs a name"),
            arguments is null ? "{}" : arguments is YamlScalarNode text ? text.Value ?? "" : ToJson(arguments)!.ToJsonString());
    }

    private static ScriptedError ReadError(YamlMappingNode error)
    {
        Known(error, "error", "status", "code", "message", "retry_after", "retry_after_ms");
        var status = Integer(error, "status") ?? 500;
        return new(
            status, Text(error, "code") ?? (status == 429 ? "rate_limit_exceeded" : "server_error"),
            Text(error, "message") ?? $"Scripted error {status}.", Text(error, "retry_after"), Text(error, "retry_after_ms"));
    }

    private static ScriptedDamage ReadDamage(YamlMappingNode rule) => Text(rule, "malformed") switch
    {
        null => ScriptedDamage.None,
        "truncated_json" => ScriptedDamage.TruncatedJson,
        "not_json" => ScriptedDamage.NotJson,
        "empty" => ScriptedDamage.Empty,
        "cut_stream" => ScriptedDamage.CutStream,
        var other => throw Wrong(rule, $"'malformed' is '{other}'; expected truncated_json, not_json, empty or cut_stream"),
    };

    /// <summary>YAML to JSON: plain scalars by the core schema of YAML 1.2, quoted ones are text.</summary>
    private static JsonNode? ToJson(YamlNode node)
    {
        switch (node)
        {
            case YamlMappingNode mapping:
                return new JsonObject(mapping.Children.Select(pair => KeyValuePair.Create(((YamlScalarNode)pair.Key).Value!, ToJson(pair.Value))));
            case YamlSequenceNode sequence:
                return new JsonArray([.. sequence.Children.Select(ToJson)]);
            case YamlScalarNode { Style: ScalarStyle.Plain } plain:
                return PlainToJson(plain.Value ?? "");
            default:
                return JsonValue.Create(((YamlScalarNode)node).Value);
        }
    }

    /// <summary>A plain number keeps its digits: <c>0.0</c> stays <c>0.0</c>.</summary>
    private static JsonNode? PlainToJson(string text)
    {
        if (text is "" or "null" or "~")
        {
            return null;
        }

        if (text is "true" or "false")
        {
            return JsonValue.Create(text == "true");
        }

        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _) && (char.IsAsciiDigit(text[0]) || text[0] == '-');
        try
        {
            return isNumber ? JsonNode.Parse(text) : JsonValue.Create(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text); // 007 is a number to YAML's eyes, and none to JSON's.
        }
    }

    private static YamlNode? Member(YamlMappingNode mapping, string name) =>
        mapping.Children.TryGetValue(new YamlScalarNode(name), out var value) ? value : null;

    private static string? Text(YamlMappingNode mapping, string name) => Member(mapping, name) switch
    {
        null => null,
        YamlScalarNode scalar => scalar.Value,
        var other => throw Wrong(other, $"'{name}' is not a text"),
    };

    private static int? Integer(YamlMappingNode mapping, string name) => Text(mapping, name) switch
    {
        null => null,
        var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) => value,
        var text => throw Wrong(mapping, $"'{name}' is '{text}'; expected a whole number"),
    };

    private static IReadOnlyList<string> Texts(YamlMappingNode mapping, string name) => Member(mapping, name) switch
    {
        null => [],
        YamlSequenceNode list => [.. list.Children.Select(item => item is YamlScalarNode scalar ? scalar.Value! : throw Wrong(item, $"'{name}' is a list of texts"))],
        _ => [Text(mapping, name)!],
    };

    private static IEnumerable<YamlNode> Sequence(YamlMappingNode mapping, string name) => Member(mapping, name) switch
    {
        null => [],
        YamlSequenceNode list => list.Children,
        var other => throw Wrong(other, $"'{name}' is not a list"),
    };

    private static YamlMappingNode Mapping(YamlNode node, string what) => node as YamlMappingNode ?? throw Wrong(node, $"{what} is not a mapping");

    private static void Known(YamlMappingNode mapping, string what, params string[] names)
    {
        if (mapping.Children.Keys.OfType<YamlScalarNode>().FirstOrDefault(key => !names.Contains(key.Value)) is { } unknown)
        {
            throw Wrong(unknown, $"{what} has an unknown member '{unknown.Value}'; known are {string.Join(", ", names)}");
        }
    }

    private static UsageException Wrong(YamlNode at, string what) => new($"Script, line {at.Start.Line}: {what}.");
}
