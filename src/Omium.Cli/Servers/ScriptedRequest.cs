using System.Text.Json;
using System.Text.Json.Nodes;

namespace Omium.Cli.Servers;

/// <summary>A chat completion request as the script sees it.</summary>
internal sealed class ScriptedRequest
{
    private readonly string _system;
    private readonly string _user;
    private readonly string _prompt;

    public ScriptedRequest(JsonObject body)
    {
        Body = body;
        var messages = (body["messages"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        _system = Joined(messages, role => role is "system" or "developer");
        _user = Joined(messages, role => role == "user");
        _prompt = Joined(messages, _ => true);
        Turn = messages.Count(message => Role(message) == "assistant") + 1;
        RoleLine = _system.Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.StartsWith("Role:", StringComparison.Ordinal));
    }

    /// <summary>The request.</summary>
    public JsonObject Body { get; }

    /// <summary>1 = no assistant message yet.</summary>
    public int Turn { get; }

    /// <summary>The line of the system message that tells the agent's role; null when there is none.</summary>
    public string? RoleLine { get; }

    /// <summary>Model asked for.</summary>
    public string Model => Body["model"] is JsonValue value && value.TryGetValue<string>(out var model) ? model : "scripted";

    /// <summary>Answer as server-sent events.</summary>
    public bool Stream => Body["stream"] is JsonValue value && value.TryGetValue<bool>(out var stream) && stream;

    /// <summary>Streamed answers end with the token counts.</summary>
    public bool StreamsUsage => (Body["stream_options"] as JsonObject)?["include_usage"]?.GetValueKind() == JsonValueKind.True;

    /// <summary>Characters of all messages.</summary>
    public int PromptChars => _prompt.Length;

    /// <summary>Every part of the condition but <c>nth</c>.</summary>
    public bool Meets(ScriptedWhen when) =>
        (when.Turn is null || when.Turn == Turn)
        && when.Agents.All(agent => (RoleLine ?? _system).Contains(agent, StringComparison.Ordinal))
        && when.System.All(text => _system.Contains(text, StringComparison.Ordinal))
        && when.User.All(text => _user.Contains(text, StringComparison.Ordinal))
        && when.Prompt.All(text => _prompt.Contains(text, StringComparison.Ordinal));

    /// <summary>For the message of a request that no rule wants.</summary>
    public string Describe() =>
        $"{RoleLine ?? "no 'Role:' line"}; turn {Turn}; last user text '{Short(_user)}'";

    private static string Joined(List<JsonObject> messages, Func<string, bool> role) =>
        string.Join('\n', messages.Where(message => role(Role(message))).Select(Content));

    private static string Role(JsonObject message) => message["role"] is JsonValue value && value.TryGetValue<string>(out var role) ? role : "";

    private static string Content(JsonObject message) => message["content"] switch
    {
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        JsonArray parts => string.Join('\n', parts.OfType<JsonObject>().Select(part => part["text"]?.ToString() ?? "")),
        _ => "",
    };

    private static string Short(string text) => text.Length <= 200 ? text : "..." + text[^200..];
}
