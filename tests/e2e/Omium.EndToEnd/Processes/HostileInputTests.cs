using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Processes;

/// <summary>Hostile input over HTTP: each a clear problem in under a second, in memory that does not grow with it.</summary>
public sealed class HostileInputTests
{
    private const long MegaByte = 1024 * 1024;
    private const double AnswerMaxMs = 1_000;
    private const int Repetitions = 30;

    /// <summary>How much the server may hold more than before: room for the collector, none for the input.</summary>
    private const long GrowthMaxBytes = 48 * MegaByte;

    /// <summary>
    /// All that the server may have for its objects. On a machine with free memory the collector takes its time, and how much lies about then says nothing
    /// of what is held; with a limit the server answers however often it is asked only if it lets go of what it refused.
    /// </summary>
    private const long HeapMaxBytes = 160 * MegaByte;

    /// <summary>What is done to the server, and what it answers.</summary>
    public static TheoryData<string, HttpStatusCode> Cases => new()
    {
        { "expression of 1 MB", HttpStatusCode.UnprocessableEntity },
        { "10,000 nested parentheses", HttpStatusCode.UnprocessableEntity },
        { "catastrophic regular expression", HttpStatusCode.UnprocessableEntity },
        { "recursive schema", HttpStatusCode.UnprocessableEntity },
        { "10,000 nested lists", HttpStatusCode.BadRequest },
        { "a bomb of YAML aliases", HttpStatusCode.BadRequest },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Input_Hostile_IsAProblemWithinASecondInFlatMemory(string hostile, HttpStatusCode expected)
    {
        await using var world = await World.StartAsync(variables: _ => new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = HeapMaxBytes.ToString("X", CultureInfo.InvariantCulture) });
        await world.Client.SaveAsync(Workflow("harmless", "output.x == 1")); // Warm: what is measured is the input, not the first compilation.
        var before = world.Omium.Process.ResidentBytes();
        var clock = Stopwatch.StartNew();

        var reply = await SendAsync(world.Client, hostile);

        var elapsed = clock.Elapsed.TotalMilliseconds;
        var growth = world.Omium.Process.ResidentBytes() - before;
        World.Say(string.Create(CultureInfo.InvariantCulture, $"{hostile}: {(int)reply.Status} in {elapsed:F0} ms, {growth / 1024.0 / 1024.0:F1} MB more; {reply.Text[..Math.Min(reply.Text.Length, 400)]}"));
        Assert.True(reply.Status == expected, $"{(int)reply.Status}: {reply.Text}");
        reply.ExpectProblem(expected, (string)reply.Json["code"]!);
        Assert.InRange(elapsed, 0, AnswerMaxMs);
        Assert.InRange(growth, long.MinValue, GrowthMaxBytes);
        Assert.InRange(reply.Text.Length, 1, 20_000); // A problem does not send the input back.
        for (var again = 0; again < Repetitions; again++)
        {
            (await SendAsync(world.Client, hostile)).Expect(expected);
        }

        growth = world.Omium.Process.ResidentBytes() - before;
        World.Say(string.Create(CultureInfo.InvariantCulture, $"and {Repetitions} times again: {growth / 1024.0 / 1024.0:F1} MB more than before the first"));
        Assert.InRange(growth, long.MinValue, HeapMaxBytes + GrowthMaxBytes); // Objects, and room beside them.
        await world.Client.GetAsync("/v1/me");
    }

    /// <summary>The body is refused by its announced length, or as soon as it is too long, and is never held.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Body_Of100MegaBytes_Is413InFlatMemory(bool announcesLength)
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Workflow("harmless", "output.x == 1"));
        var before = world.Omium.Process.ResidentBytes();
        var clock = Stopwatch.StartNew();

        var reply = await FloodAsync(world.Omium, announcesLength);

        var elapsed = clock.Elapsed.TotalMilliseconds;
        var growth = world.Omium.Process.ResidentBytes() - before;
        World.Say(string.Create(CultureInfo.InvariantCulture, $"100 MB: {(int)reply.Status} in {elapsed:F0} ms, {growth / 1024.0 / 1024.0:F1} MB more; {reply.Text}"));
        reply.ExpectProblem(HttpStatusCode.RequestEntityTooLarge, "body_too_large");
        Assert.InRange(elapsed, 0, AnswerMaxMs);
        Assert.InRange(growth, long.MinValue, GrowthMaxBytes);
        await world.Client.GetAsync("/v1/me");
    }

    /// <summary>A pattern and a schema that are allowed to be saved are bounded when they run, too.</summary>
    [Fact]
    public async Task Input_OfARecursiveSchemaAndACostlyPattern_IsDecidedWithinASecond()
    {
        await using var world = await World.StartAsync();
        const string spec = """
            omium: v0
            name: recursive
            input:
              schema:
                $defs:
                  node: {type: object, properties: {next: {$ref: "#/$defs/node"}, text: {type: string, pattern: "^(a|aa)+$"}}, additionalProperties: false}
                $ref: "#/$defs/node"
            tools:
              ask: {type: http, method: GET, url: "http://127.0.0.1:1/"}
            steps:
              - {id: ask, type: tool_call, tool: ask}
            """;
        await world.Client.SaveAsync(spec);
        var text = new string('a', 50_000) + "b";
        var clock = Stopwatch.StartNew();

        var reply = await world.Client.PostAsync(
            "/v1/executions", new JsonObject { ["workflow"] = "recursive", ["input"] = new JsonObject { ["next"] = new JsonObject { ["text"] = text } } });

        World.Say($"costly pattern: {(int)reply.Status} in {clock.ElapsedMilliseconds} ms; {reply.Text[..Math.Min(reply.Text.Length, 300)]}");
        reply.ExpectProblem(HttpStatusCode.UnprocessableEntity, "input_invalid");
        Assert.InRange(clock.Elapsed.TotalMilliseconds, 0, AnswerMaxMs);
    }

    private static Task<Reply> SendAsync(OmiumClient client, string hostile) => hostile switch
    {
        "expression of 1 MB" => PostAsync(client, Workflow("hostile", "output.x == " + string.Join(" + ", Enumerable.Repeat("1", 260_000)))),
        "10,000 nested parentheses" => PostAsync(client, Workflow("hostile", $"{new string('(', 10_000)}output.x == 1{new string(')', 10_000)}")),
        "catastrophic regular expression" => PostAsync(client, Workflow("hostile", "output.x.matches('((((a{1,100}){1,100}){1,100}){1,100}){1,100}')")),
        "recursive schema" => PostAsync(client, Workflow("hostile", "output.x == 1").Replace("{type: object}", "{$ref: \"#\"}", StringComparison.Ordinal)),
        "10,000 nested lists" => client.SendAsync(
            HttpMethod.Post, "/v1/workflows", $"{{\"spec\": {new string('[', 10_000)}{new string(']', 10_000)}}}", "application/json"),
        _ => PostAsync(client, Bomb()),
    };

    private static Task<Reply> PostAsync(OmiumClient client, string yaml) => client.SendAsync(HttpMethod.Post, "/v1/workflows", yaml, "text/yaml");

    private static string Workflow(string name, string check) => $$$"""
        omium: v0
        name: {{{name}}}
        tools:
          ask: {type: http, method: GET, url: "http://127.0.0.1:1/"}
        steps:
          - id: ask
            type: tool_call
            tool: ask
            output: {schema: {type: object}}
            guards: {post: [{check: "{{{check}}}", code: wrong, message: It is wrong.}]}
        """;

    /// <summary>Nine levels of ten aliases each: a thousand million texts when they are followed.</summary>
    private static string Bomb()
    {
        var bomb = new StringBuilder("omium: v0\nname: bomb\nx0: &x0 [lol]\n");
        for (var level = 1; level < 10; level++)
        {
            bomb.Append(CultureInfo.InvariantCulture, $"x{level}: &x{level} [{string.Join(", ", Enumerable.Repeat($"*x{level - 1}", 10))}]\n");
        }

        return bomb.Append("steps: []\n").ToString();
    }

    /// <summary>
    /// Sends a body of blanks until all of it is sent or the server hangs up, and reads the answer meanwhile: an HTTP client of the framework
    /// would fail at the closed connection and never show what was answered.
    /// </summary>
    private static async Task<Reply> FloodAsync(OmiumProcess omium, bool announcesLength)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(omium.Address.Host, omium.Address.Port);
        await using var stream = client.GetStream();
        var framing = announcesLength ? $"Content-Length: {100 * MegaByte}" : "Transfer-Encoding: chunked";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /v1/workflows HTTP/1.1\r\nHost: {omium.Address.Authority}\r\nAuthorization: Bearer {omium.Key}\r\nContent-Type: application/json\r\n{framing}\r\n\r\n"));
        var sending = SendBlanksAsync(stream, announcesLength);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var status = (HttpStatusCode)int.Parse((await reader.ReadLineAsync())!.Split(' ')[1], CultureInfo.InvariantCulture);
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await reader.ReadLineAsync() is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers[line[..colon]] = line[(colon + 1)..].Trim();
        }

        var body = headers.TryGetValue("Content-Length", out var length)
            ? await ReadAsync(reader, int.Parse(length, CultureInfo.InvariantCulture))
            : await ReadChunksAsync(reader);
        client.Close();
        await sending;
        return new Reply(status, headers["Content-Type"].Split(';')[0], body);
    }

    private static async Task<string> ReadChunksAsync(StreamReader reader)
    {
        var body = new StringBuilder();
        while (int.Parse((await reader.ReadLineAsync())!, NumberStyles.HexNumber, CultureInfo.InvariantCulture) is > 0 and var size)
        {
            body.Append(await ReadAsync(reader, size));
            await reader.ReadLineAsync();
        }

        return body.ToString();
    }

    /// <summary>Problems are written in ASCII: a character is a byte.</summary>
    private static async Task<string> ReadAsync(StreamReader reader, int length)
    {
        var text = new char[length];
        return new string(text, 0, await reader.ReadBlockAsync(text));
    }

    private static async Task SendBlanksAsync(NetworkStream stream, bool announcesLength)
    {
        var blanks = Encoding.ASCII.GetBytes(new string(' ', 0x10000));
        byte[] chunk = announcesLength ? blanks : [.. "10000\r\n"u8, .. blanks, .. "\r\n"u8];
        try
        {
            for (var sent = 0L; sent < 100 * MegaByte; sent += blanks.Length)
            {
                await stream.WriteAsync(chunk);
            }
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException)
        {
            // The server has answered and hung up, or the answer has been read: nobody wants the rest.
        }
    }
}
