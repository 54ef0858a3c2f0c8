using System.Globalization;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Cli.Commands;
using Omium.Contracts.Reviews;

namespace Omium.Cli.Mcp;

/// <summary>The arguments of a tool call. A model wrote them, so nothing is taken for granted.</summary>
/// <param name="given">As they came.</param>
internal sealed class McpArguments(IDictionary<string, JsonElement>? given)
{
    /// <summary>A text that must be there.</summary>
    /// <exception cref="CommandFailedException">It is not, or is no text.</exception>
    public string Text(string name) => TextOrNull(name) ?? throw Wrong($"'{name}' is missing: it is a text.");

    /// <summary>A text, or null where there is none.</summary>
    public string? TextOrNull(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        _ => throw Wrong($"'{name}' is a text."),
    };

    /// <summary>A whole number between 1 and a bound.</summary>
    public int Count(string name, int otherwise, int max) => Find(name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var number) && number >= 1 && number <= max => number,
        _ => throw Wrong(string.Create(CultureInfo.InvariantCulture, $"'{name}' is a whole number, 1 to {max}.")),
    };

    /// <summary>The members that edit an agent.</summary>
    /// <exception cref="CommandFailedException">There is none, or one is not what it should be.</exception>
    public AgentEdits Edits()
    {
        var edits = new AgentEdits(TextOrNull("prompt"), Texts("constraints"), Texts("tools"));
        return edits == new AgentEdits() ? throw Wrong("Say what to edit: 'prompt', 'constraints' or 'tools'.") : edits;
    }

    /// <summary>Query parameters of those that were given.</summary>
    public string Query(string path, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            path += TextOrNull(name) is { } value ? $"&{name}={Uri.EscapeDataString(value)}" : "";
        }

        return path;
    }

    private IReadOnlyList<string>? Texts(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } list when list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) =>
            [.. list.EnumerateArray().Select(item => item.GetString()!)],
        _ => throw Wrong($"'{name}' is a list of texts."),
    };

    private JsonElement? Find(string name) =>
        given is not null && given.TryGetValue(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

    private static CommandFailedException Wrong(string message) => new(ExitCodes.Usage, message);
}
