using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Omium.Runtime.Tests;

/// <summary>A real HTTP server whose every request is answered by one delegate.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _server;
    private int _requests;

    private TestServer(WebApplication server) => _server = server;

    public string Url { get; private set; } = "";

    public int Port => new Uri(Url).Port;

    public int Requests => Volatile.Read(ref _requests);

    public static async Task<TestServer> StartAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var server = new TestServer(builder.Build());
        server._server.Run(context =>
        {
            Interlocked.Increment(ref server._requests);
            return answer(context);
        });
        await server._server.StartAsync();
        server.Url = server._server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return server;
    }

    /// <summary>A server that always answers the same.</summary>
    public static Task<TestServer> StartAsync(int status, string body, string type = "application/json", params (string Name, string Value)[] headers) =>
        StartAsync(context =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = type;
            foreach (var (name, value) in headers)
            {
                context.Response.Headers[name] = value;
            }

            return context.Response.WriteAsync(body);
        });

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();
}

/// <summary>A server of bare TCP: for each request (up to the empty line) the next text is sent; null closes the connection.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Queue<string?> _answers;
    private readonly Task _loop;
    private int _requests;
    private int _connections;

    public RawServer(params string?[] answers)
    {
        _answers = new Queue<string?>(answers);
        _listener.Start();
        _loop = AcceptAsync();
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public int Requests => Volatile.Read(ref _requests);

    public int Connections => Volatile.Read(ref _connections);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            using var client = await _listener.AcceptTcpClientAsync(_end.Token);
            Interlocked.Increment(ref _connections);
            await ServeAsync(client.GetStream());
        }
    }

    private async Task ServeAsync(NetworkStream stream)
    {
        var received = new StringBuilder();
        var buffer = new byte[4096];
        while (await stream.ReadAsync(buffer, _end.Token) is var count and > 0)
        {
            received.Append(Encoding.ASCII.GetString(buffer, 0, count));
            if (!received.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
            {
                continue;
            }

            received.Clear();
            Interlocked.Increment(ref _requests);
            if (!_answers.TryDequeue(out var answer) || answer is null)
            {
                return;
            }

            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), _end.Token);
        }
    }
}

/// <summary>A clock that stands at one moment; timers are the system's.</summary>
internal sealed class StandingClock(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}
