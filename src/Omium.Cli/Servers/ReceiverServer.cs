using System.Text.Json;
using System.Text.Json.Nodes;

namespace Omium.Cli.Servers;

/// <summary>What the receiver is started with.</summary>
/// <param name="LogPath">File of JSON lines; an existing one is read, so a restarted receiver knows what it counted. Null = memory only.</param>
/// <param name="Port">Port on 127.0.0.1; 0 = a free one.</param>
/// <param name="FailRate">Part of the requests, 0 to 1, that fail with 503 before they are counted.</param>
/// <param name="Seed">Which ones: the same seed fails the same requests (by name and arrival).</param>
public sealed record ReceiverOptions(string? LogPath = null, int Port = 0, double FailRate = 0, int Seed = 1);

/// <summary>
/// A stand-in for the world outside: counts effects, one line per request, where Omium cannot reach. Answers on
/// <list type="bullet">
/// <item><c>POST|GET|PUT|DELETE /effects/{name}</c>: counts, answers <c>{"ok": true, "id": "name-n"}</c>; the same Idempotency-Key again is a
/// line of kind <c>duplicate</c> with the first answer (<c>?dedupe=false</c>: a receiver that honours no keys)</item>
/// <item><c>GET /effects?name=</c>: counts and lines; <c>GET /wait?name=&amp;effects=&amp;holding=&amp;timeout=</c>: the counts, once they are reached</item>
/// <item><c>GET /state/{name}/{key}</c>: what a verify tool asks, <c>{"status": "done" | "not_done" | "unknown"}</c></item>
/// <item><c>POST /control</c> (<see cref="ReceiverControl"/>), <c>POST /release</c> <c>{"name"?}</c></item>
/// </list>
/// </summary>
public sealed class ReceiverServer : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly ReceiverLedger _ledger;

    private ReceiverServer(WebApplication server, ReceiverLedger ledger) => (_server, _ledger) = (server, ledger);

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Starts it in this process.</summary>
    /// <exception cref="IOException">The port is taken or the log cannot be opened.</exception>
    public static async Task<ReceiverServer> StartAsync(ReceiverOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var receiver = new ReceiverServer(LocalServer.Create(options.Port), new ReceiverLedger(options));
        receiver.Map();
        try
        {
            receiver.Address = await LocalServer.StartAsync(receiver._server, cancellation);
            return receiver;
        }
        catch
        {
            await receiver.DisposeAsync();
            throw;
        }
    }

    /// <summary>From now on a name answers this, as <c>POST /control</c> with <c>answer</c> would set it.</summary>
    public void AnswerWith(string name, JsonNode answer) => _ledger.Control(name, new ReceiverControl(Answer: answer));

    /// <summary>The hidden command <c>omium receiver --port N [--log FILE] [--fail-rate R] [--seed N]</c>. Runs until cancelled.</summary>
    public static Task<int> RunAsync(string[] args, CancellationToken cancellation) => LocalServer.RunCommandAsync(
        "receiver",
        async token =>
        {
            var given = new ServerArguments(args, "--port", "--log", "--fail-rate", "--seed");
            var receiver = await StartAsync(
                new(given.Text("--log"), given.Integer("--port", 0, 0, 65535), given.Ratio("--fail-rate", 0), given.Integer("--seed", 1, 0, int.MaxValue)),
                token);
            return (receiver.Address, receiver);
        },
        cancellation);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _ledger.ReleaseAll();
        await _server.DisposeAsync();
        _ledger.Dispose();
    }

    private void Map()
    {
        _server.MapMethods("/effects/{name}", ["POST", "GET", "PUT", "DELETE", "PATCH"], ReceiveAsync);
        _server.MapGet("/effects", (string? name) => Results.Json(_ledger.View(name)));
        _server.MapGet("/wait", WaitAsync);
        _server.MapGet("/state/{name}/{key}", (string name, string key) => Results.Json(_ledger.State(name, key)));
        _server.MapPost("/control", async (HttpRequest request) =>
        {
            try
            {
                var (name, control) = ReceiverControl.Read(await ReadObjectAsync(request));
                _ledger.Control(name, control);
                return Results.Json(new JsonObject { ["ok"] = true });
            }
            catch (UsageException usage)
            {
                return Results.Json(new JsonObject { ["error"] = usage.Message }, statusCode: 400);
            }
        });
        _server.MapPost("/release", async (HttpRequest request) =>
        {
            var name = (string?)(await ReadObjectAsync(request))["name"];
            return Results.Json(new JsonObject { ["released"] = _ledger.Release(name) });
        });
    }

    private async Task ReceiveAsync(HttpContext http, string name)
    {
        var arrival = new ReceiverArrival(
            name, http.Request.Method, Header(http, "Idempotency-Key"), Header(http, "Omium-Effect"), await ReadBodyAsync(http.Request),
            !string.Equals(http.Request.Query["dedupe"], "false", StringComparison.OrdinalIgnoreCase));
        var verdict = _ledger.Arrive(arrival);
        var control = verdict.Control;
        if (control.Delay > TimeSpan.Zero)
        {
            await Task.Delay(control.Delay, http.RequestAborted);
        }

        if (control.HoldBeforeCount)
        {
            await _ledger.HoldAsync(name, http.RequestAborted);
        }

        if (verdict.Fails)
        {
            await FailAsync(http, arrival, control);
            return;
        }

        var counted = _ledger.Count(arrival, control, writeNow: !control.CountAfterAnswer);
        if (control.HoldAfterCount)
        {
            await _ledger.HoldAsync(name, http.RequestAborted);
        }

        await http.Response.WriteAsJsonAsync(counted.Answer);
        if (control.CountAfterAnswer)
        {
            await http.Response.CompleteAsync();
            _ledger.Write(counted);
        }
    }

    private async Task FailAsync(HttpContext http, ReceiverArrival arrival, ReceiverControl control)
    {
        if (control.FailCounts)
        {
            _ledger.Count(arrival, control, writeNow: true);
        }
        else
        {
            _ledger.CountFailure(arrival);
        }

        if (control.DropConnection)
        {
            http.Abort();
            return;
        }

        http.Response.StatusCode = control.Status;
        await http.Response.WriteAsJsonAsync(new JsonObject { ["ok"] = false, ["error"] = "The receiver was told to fail." });
    }

    private async Task<IResult> WaitAsync(HttpContext http, string name, int? effects, int? holding, string? timeout)
    {
        try
        {
            var reached = await _ledger.WaitAsync(name, effects ?? 0, holding ?? 0, DurationText.Read(timeout ?? "30s", "timeout"), http.RequestAborted);
            return Results.Json(_ledger.View(name), statusCode: reached ? 200 : 408);
        }
        catch (UsageException usage)
        {
            return Results.Json(new JsonObject { ["error"] = usage.Message }, statusCode: 400);
        }
    }

    private static string? Header(HttpContext http, string name) => http.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;

    private static async Task<JsonNode?> ReadBodyAsync(HttpRequest request)
    {
        using var reader = new StreamReader(request.Body);
        var text = await reader.ReadToEndAsync();
        if (text.Length == 0)
        {
            return null;
        }

        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    private static async Task<JsonObject> ReadObjectAsync(HttpRequest request) => await ReadBodyAsync(request) as JsonObject ?? [];
}
