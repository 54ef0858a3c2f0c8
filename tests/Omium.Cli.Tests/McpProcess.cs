using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Omium.Cli.Tests;

/// <summary><c>omium mcp</c> as a coding assistant drives it: JSON-RPC, one message a line, over the process's standard input and output.</summary>
internal sealed class McpProcess : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private int _requests;

    private McpProcess(Process process) => _process = process;

    /// <summary>What the server said of itself when it was greeted.</summary>
    public JsonElement Greeting { get; private set; }

    public static async Task<McpProcess> StartAsync(DevServer server, string? key = null)
    {
        var environment = new Dictionary<string, string> { ["OMIUM_BASE_URL"] = server.Url };
        if (key is not null)
        {
            environment["OMIUM_API_KEY"] = key;
        }

        var started = new McpProcess(Process.Start(OmiumProgram.Start(server.Directory, environment, ["mcp"]))!);
        _ = started._process.StandardError.ReadToEndAsync();
        started.Greeting = (await started.AskAsync(
            "initialize", """{"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}""")).GetProperty("result");
        await started.SendAsync("""{"jsonrpc": "2.0", "method": "notifications/initialized"}""");
        return started;
    }

    /// <summary>A request and its answer: a response with <c>result</c> or <c>error</c>.</summary>
    public async Task<JsonElement> AskAsync(string method, string parameters)
    {
        var id = ++_requests;
        await SendAsync(new JsonObject { ["jsonrpc"] = "2.0", ["id"] = id, ["method"] = method, ["params"] = JsonNode.Parse(parameters) }.ToJsonString());
        while (await _process.StandardOutput.ReadLineAsync().WaitAsync(Limit) is { } line)
        {
            var message = JsonElement.Parse(line); // Anything but a message on standard output would be a fault.
            if (message.TryGetProperty("id", out var answered) && answered.GetInt32() == id)
            {
                return message;
            }
        }

        throw new InvalidOperationException($"omium mcp ended before it answered {method}");
    }

    /// <summary>Calls a tool that must succeed.</summary>
    public async Task<JsonElement> CallAsync(string tool, object arguments)
    {
        var (text, isError) = await TryCallAsync(tool, arguments);
        Assert.False(isError, text);
        return JsonElement.Parse(text);
    }

    /// <summary>Calls a tool: what it says, and whether it refused.</summary>
    public async Task<(string Text, bool IsError)> TryCallAsync(string tool, object arguments)
    {
        var request = new JsonObject { ["name"] = tool, ["arguments"] = JsonSerializer.SerializeToNode(arguments) };
        var result = (await AskAsync("tools/call", request.ToJsonString())).GetProperty("result");
        return (result.GetProperty("content")[0].GetProperty("text").GetString()!, result.TryGetProperty("isError", out var isError) && isError.GetBoolean());
    }

    /// <summary>Closes its input, as a client that leaves; answers the exit code.</summary>
    public async Task<int> LeaveAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().WaitAsync(Limit);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private async Task SendAsync(string message)
    {
        await _process.StandardInput.WriteLineAsync(message);
        await _process.StandardInput.FlushAsync();
    }
}
