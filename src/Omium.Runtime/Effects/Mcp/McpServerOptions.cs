using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace Omium.Runtime.Effects.Mcp;

/// <summary>
/// An MCP server that is a program of this machine. Whoever runs Omium sets it up; a workflow can only name it. It is started with the variables given here and
/// a few harmless ones of the surroundings (PATH, HOME and their like), so that no key of Omium's own reaches it.
/// </summary>
/// <param name="Name">What workflows call it.</param>
/// <param name="Command">Program.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="Environment">Variables it is given.</param>
/// <param name="Directory">Where it is started; null = where Omium was.</param>
public sealed record McpServerOptions(
    string Name, string Command, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment, string? Directory)
{
    private const string Member = "mcpServers";

    /// <summary>
    /// The servers of the file that <c>OMIUM_MCP_SERVERS</c> (or <c>mcp:servers</c>) names, in the form that assistants share:
    /// <c>{"mcpServers": {"crm": {"command": "crm-mcp", "args": ["--quiet"], "env": {"CRM_TOKEN": "..."}, "cwd": "/srv"}}}</c>. None when it names none.
    /// </summary>
    /// <exception cref="InvalidOperationException">The file cannot be read or does not say what it should; the message names the place.</exception>
    public static IReadOnlyList<McpServerOptions> From(IConfiguration configuration)
    {
        var options = new OptionReader(configuration, "mcp", "OMIUM_MCP");
        if (options.Text("servers") is not { } path)
        {
            return [];
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(Member, out var servers) && servers.ValueKind == JsonValueKind.Object
                ? [.. servers.EnumerateObject().Select(server => Read(path, server))]
                : throw Wrong(path, $"expected an object with \"{Member}\"");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or JsonException)
        {
            throw Wrong(path, unreadable.Message);
        }
    }

    private static McpServerOptions Read(string path, JsonProperty server)
    {
        var place = $"{Member}.{server.Name}";
        if (server.Value.ValueKind != JsonValueKind.Object)
        {
            throw Wrong(path, $"{place} is no object");
        }

        if (server.Value.TryGetProperty("url", out _))
        {
            throw Wrong(path, $"{place} has a url: a workflow names the address itself, as the \"server\" of its tool");
        }

        return new McpServerOptions(
            server.Name,
            server.Value.TryGetProperty("command", out var command) ? Text(path, $"{place}.command", command) : throw Wrong(path, $"{place} has no command"),
            server.Value.TryGetProperty("args", out var arguments) && arguments.ValueKind == JsonValueKind.Array
                ? [.. arguments.EnumerateArray().Select(argument => Text(path, $"{place}.args", argument))] : [],
            server.Value.TryGetProperty("env", out var environment) && environment.ValueKind == JsonValueKind.Object
                ? environment.EnumerateObject().ToDictionary(variable => variable.Name, variable => Text(path, $"{place}.env.{variable.Name}", variable.Value), StringComparer.Ordinal)
                : new Dictionary<string, string>(),
            server.Value.TryGetProperty("cwd", out var directory) ? Text(path, $"{place}.cwd", directory) : null);
    }

    private static string Text(string path, string place, JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(path, $"{place} is no text");

    private static InvalidOperationException Wrong(string path, string message) => new($"OMIUM_MCP_SERVERS (or mcp:servers): {path}: {message}.");
}
