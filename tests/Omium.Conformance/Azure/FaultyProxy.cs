using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Omium.Conformance.Azure;

/// <summary>What the proxy does with a request.</summary>
internal enum Fault
{
    None,

    /// <summary>429 without reaching the service.</summary>
    Throttle,

    /// <summary>503 without reaching the service.</summary>
    Busy,

    /// <summary>The connection is cut before the service hears of it.</summary>
    DropBefore,

    /// <summary>The service does it, and its answer is lost.</summary>
    DropAfter,
}

/// <summary>A small HTTP proxy before one port of the emulator that fails requests as it is told.</summary>
internal sealed class FaultyProxy : IAsyncDisposable
{
    private static readonly HttpClient Client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });
    private readonly WebApplication server;
    private readonly int target;
    private int faults;

    private FaultyProxy(WebApplication server, int target) => (this.server, this.target) = (server, target);

    /// <summary>Asked for every request.</summary>
    public Func<HttpRequest, Fault> Decide { get; set; } = _ => Fault.None;

    /// <summary>How many requests have failed here.</summary>
    public int Faults => faults;

    public int Port => new Uri(server.Urls.Single()).Port;

    public static FaultyProxy Start(int target)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.Limits.MaxRequestBodySize = null;
            options.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var proxy = new FaultyProxy(builder.Build(), target);
        proxy.server.Run(proxy.HandleAsync);
        proxy.server.StartAsync().GetAwaiter().GetResult();
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await server.StopAsync(new CancellationToken(canceled: true));
        await server.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var fault = Decide(context.Request);
        Interlocked.Add(ref faults, fault == Fault.None ? 0 : 1);
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        if (fault == Fault.DropBefore)
        {
            context.Abort();
            return;
        }

        if (fault is Fault.Throttle or Fault.Busy)
        {
            context.Response.StatusCode = fault == Fault.Throttle ? 429 : 503;
            context.Response.Headers["x-ms-error-code"] = "ServerBusy";
            return;
        }

        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), $"http://127.0.0.1:{target}{RawTarget(context)}") { Content = new ByteArrayContent(body.ToArray()) };
        foreach (var (name, value) in context.Request.Headers.Where(header => header.Key is not ("Host" or "Connection" or "Transfer-Encoding")))
        {
            if (!request.Headers.TryAddWithoutValidation(name, value.ToArray()))
            {
                request.Content.Headers.Remove(name);
                request.Content.Headers.TryAddWithoutValidation(name, value.ToArray());
            }
        }

        using var response = await Client.SendAsync(request);
        var answer = await response.Content.ReadAsByteArrayAsync();
        if (fault == Fault.DropAfter)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = (int)response.StatusCode;
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers).Where(header => header.Key is not ("Transfer-Encoding" or "Connection" or "Keep-Alive")))
        {
            context.Response.Headers[name] = values.ToArray();
        }

        if (context.Request.Method != "HEAD" && answer.Length > 0)
        {
            await context.Response.Body.WriteAsync(answer);
        }
    }

    private static string RawTarget(HttpContext context) => context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget;
}
