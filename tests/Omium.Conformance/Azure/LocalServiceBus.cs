using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Omium.Conformance.Azure;

/// <summary>A message as the server took it.</summary>
internal sealed record TakenMessage(string Id, string Session, string Label, string Body)
{
    public long Seq => JsonDocument.Parse(Body).RootElement.GetProperty("seq").GetInt64();
}

/// <summary>
/// Speaks the documented HTTPS send of Azure Service Bus: 201 for a message it took, 401 for a signature that is not right. Told to, it takes a message
/// and cuts the connection, or refuses.
/// </summary>
internal sealed class LocalServiceBus : IAsyncDisposable
{
    public const string Topic = "Lifecycle", KeyName = "send", Key = "c2VjcmV0";
    private readonly WebApplication server;
    private readonly Lock gate = new();
    private readonly List<TakenMessage> taken = [];

    private LocalServiceBus(WebApplication server) => this.server = server;

    /// <summary>Asked for every send.</summary>
    public Func<Fault> Decide { get; set; } = () => Fault.None;

    public Uri Address => new(server.Urls.Single());

    /// <summary>What was taken so far, in order.</summary>
    public IReadOnlyList<TakenMessage> Taken
    {
        get
        {
            lock (gate)
            {
                return [.. taken];
            }
        }
    }

    public static async Task<LocalServiceBus> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        var bus = new LocalServiceBus(builder.Build());
        bus.server.MapPost($"/{Topic}/messages", bus.TakeAsync);
        await bus.server.StartAsync();
        return bus;
    }

    public async ValueTask DisposeAsync()
    {
        await server.StopAsync(new CancellationToken(canceled: true));
        await server.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context)
    {
        var fault = Decide();
        if (!IsSigned(context.Request))
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        if (fault is Fault.Throttle or Fault.Busy)
        {
            context.Response.StatusCode = fault == Fault.Throttle ? 429 : 503;
            return;
        }

        using var body = new StreamReader(context.Request.Body);
        var text = await body.ReadToEndAsync();
        var properties = JsonDocument.Parse(context.Request.Headers["BrokerProperties"].ToString()).RootElement;
        if (fault != Fault.DropBefore)
        {
            lock (gate)
            {
                taken.Add(new TakenMessage(
                    properties.GetProperty("MessageId").GetString()!, properties.GetProperty("SessionId").GetString()!, properties.GetProperty("Label").GetString()!, text));
            }
        }

        if (fault is Fault.DropBefore or Fault.DropAfter)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = StatusCodes.Status201Created;
    }

    private bool IsSigned(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith("SharedAccessSignature ", StringComparison.Ordinal))
        {
            return false;
        }

        var parts = header["SharedAccessSignature ".Length..].Split('&').Select(part => part.Split('=', 2)).ToDictionary(part => part[0], part => part[1]);
        var expected = HMACSHA256.HashData(Encoding.UTF8.GetBytes(Key), Encoding.UTF8.GetBytes($"{parts["sr"]}\n{parts["se"]}"));
        return Uri.UnescapeDataString(parts["sig"]) == Convert.ToBase64String(expected)
            && parts["skn"] == KeyName
            && Uri.UnescapeDataString(parts["sr"]).Equals($"{Address.AbsoluteUri}{Topic}", StringComparison.OrdinalIgnoreCase)
            && long.Parse(parts["se"], CultureInfo.InvariantCulture) > DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    }
}
