using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Omium.Cli.Servers;

/// <summary>What the scripted model is started with.</summary>
/// <param name="Script">The script (YAML).</param>
/// <param name="LogPath">File of JSON lines, one per request, written before the answer; null = none.</param>
/// <param name="Port">Port on 127.0.0.1; 0 = a free one.</param>
public sealed record ScriptedModelOptions(string Script, string? LogPath = null, int Port = 0);

/// <summary>
/// A model endpoint that plays a script over the chat completions protocol, plain and streaming, so that demo and tests run the same client
/// code as a real model. Serves <c>POST /v1/chat/completions</c> and <c>GET /v1/models</c>, with and without <c>/v1</c>. A request that no rule
/// wants is answered 500 with code <c>no_rule</c> and what it was. Its only state is how often each rule matched and served.
/// </summary>
public sealed class ScriptedModelServer : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly ModelScript _script;
    private readonly JsonLineLog _log;
    private readonly Lock _gate = new();
    private readonly Dictionary<int, int> _matched = [];
    private readonly Dictionary<int, int> _served = [];
    private int _requests;

    private ScriptedModelServer(WebApplication server, ModelScript script, JsonLineLog log) => (_server, _script, _log) = (server, script, log);

    /// <summary>Where it listens; the model client's base URL is this plus <c>/v1</c>.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Starts it in this process.</summary>
    /// <exception cref="IOException">The port is taken or the log cannot be opened.</exception>
    /// <exception cref="ArgumentException">The script cannot be read; the message names the line.</exception>
    public static async Task<ScriptedModelServer> StartAsync(ScriptedModelOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ModelScript script;
        try
        {
            script = ModelScript.Read(options.Script);
        }
        catch (UsageException usage)
        {
            throw new ArgumentException(usage.Message, nameof(options), usage);
        }

        var model = new ScriptedModelServer(LocalServer.Create(options.Port), script, new JsonLineLog(options.LogPath));
        model.Map();
        try
        {
            model.Address = await LocalServer.StartAsync(model._server, cancellation);
            return model;
        }
        catch
        {
            await model.DisposeAsync();
            throw;
        }
    }

    /// <summary>The hidden command <c>omium model-script FILE --port N [--log FILE]</c>. Runs until cancelled.</summary>
    public static Task<int> RunAsync(string[] args, CancellationToken cancellation) => LocalServer.RunCommandAsync(
        "model-script",
        async token =>
        {
            var given = new ServerArguments(args, "--port", "--log");
            var file = given.Plain.Count == 1 ? given.Plain[0] : throw new UsageException("Name one script file.");
            var script = await File.ReadAllTextAsync(file, token);
            ModelScript.Read(script); // A script that cannot be read is a usage error, here as everywhere.
            var model = await StartAsync(new(script, given.Text("--log"), given.Integer("--port", 0, 0, 65535)), token);
            return (model.Address, model);
        },
        cancellation);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _log.Dispose();
    }

    private void Map()
    {
        foreach (var prefix in (string[])["/v1", ""])
        {
            _server.MapPost($"{prefix}/chat/completions", AnswerAsync);
            _server.MapGet($"{prefix}/models", () => Results.Json(new JsonObject
            {
                ["object"] = "list",
                ["data"] = new JsonArray(new JsonObject { ["id"] = "scripted", ["object"] = "model", ["created"] = 0, ["owned_by"] = "omium" }),
            }));
        }
    }

    private async Task AnswerAsync(HttpContext http)
    {
        JsonObject? body;
        try
        {
            body = await JsonNode.ParseAsync(http.Request.Body) as JsonObject;
        }
        catch (JsonException)
        {
            body = null;
        }

        if (body is null)
        {
            await WriteErrorAsync(http, new(400, "invalid_json", "The request is not a JSON object.", null, null));
            return;
        }

        var request = new ScriptedRequest(body);
        var rule = Choose(request);
        var number = Log(request, rule);
        if (rule is null)
        {
            await WriteErrorAsync(http, new(500, "no_rule", $"No rule of the script matches this request ({request.Describe()}).", null, null));
            return;
        }

        if (rule.Delay > TimeSpan.Zero)
        {
            await Task.Delay(rule.Delay, http.RequestAborted);
        }

        if (rule.Error is { } error)
        {
            await WriteErrorAsync(http, error);
            return;
        }

        await new ScriptedAnswer(rule, request, number.ToString(CultureInfo.InvariantCulture)).WriteAsync(http);
    }

    /// <summary>The first rule that matches, counting matches and servings.</summary>
    private ScriptedRule? Choose(ScriptedRequest request)
    {
        lock (_gate)
        {
            ScriptedRule? chosen = null;
            foreach (var rule in _script.Rules.Where(rule => request.Meets(rule.When)))
            {
                var nth = _matched[rule.Number] = _matched.GetValueOrDefault(rule.Number) + 1;
                if (chosen is null && (rule.When.Nth ?? nth) == nth && _served.GetValueOrDefault(rule.Number) < (rule.Times ?? int.MaxValue))
                {
                    chosen = rule;
                    _served[rule.Number] = _served.GetValueOrDefault(rule.Number) + 1;
                }
            }

            return chosen;
        }
    }

    private int Log(ScriptedRequest request, ScriptedRule? rule)
    {
        var number = Interlocked.Increment(ref _requests);
        _log.Append(new JsonObject
        {
            ["at"] = DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture),
            ["n"] = number,
            ["agent"] = request.RoleLine?["Role:".Length..].Trim(),
            ["rule"] = rule?.Number,
            ["turn"] = request.Turn,
            ["model"] = request.Model,
            ["stream"] = request.Stream,
            ["messages"] = request.Body["messages"]?.DeepClone(),
            ["tools"] = request.Body["tools"]?.DeepClone(),
            ["response_format"] = request.Body["response_format"]?.DeepClone(),
        });
        return number;
    }

    private static async Task WriteErrorAsync(HttpContext http, ScriptedError error)
    {
        http.Response.StatusCode = error.Status;
        if (error.RetryAfter is { } wait)
        {
            http.Response.Headers.RetryAfter = wait;
        }

        if (error.RetryAfterMs is { } waitMs)
        {
            http.Response.Headers["retry-after-ms"] = waitMs;
        }

        await http.Response.WriteAsJsonAsync(new JsonObject
        {
            ["error"] = new JsonObject { ["message"] = error.Message, ["type"] = "scripted", ["param"] = null, ["code"] = error.Code },
        });
    }
}
