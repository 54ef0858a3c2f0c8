using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Runtime.Billing;
using Omium.Runtime.Ports;

namespace Omium.Cli.Billing;

/// <summary>
/// Stands for the payment service where Omium runs on one machine: a page with a button instead of a card, and an event signed and delivered the way
/// Stripe does it. No money moves, and the page says so.
/// <code>
/// pay -> the event is kept (durable) -> delivered to /v1/webhooks/stripe until it is answered 2xx, across restarts -> credited once
/// </code>
/// </summary>
internal sealed partial class SandboxCheckout(IDocumentStore documents, string webhookSecret, TimeProvider time, ILogger logger) : IPaymentGateway, IAsyncDisposable
{
    private const string Sessions = "sandbox_checkout", Deliveries = "sandbox_delivery";
    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(500), RetryMax = TimeSpan.FromSeconds(30);
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly CancellationTokenSource _stopping = new();

    /// <inheritdoc/>
    public string Name => "sandbox";

    /// <inheritdoc/>
    public string Note => "This is a sandbox: paying costs nothing, and the credits count on this installation only.";

    /// <inheritdoc/>
    public IReadOnlyList<string> WebhookSecrets { get; } = [webhookSecret];

    /// <summary>Where this process listens.</summary>
    public Uri? Address { get; set; }

    /// <inheritdoc/>
    public async Task<CheckoutPage> CreateAsync(CheckoutRequest request, CancellationToken cancellation)
    {
        var address = Address ?? throw new PaymentUnavailableException("The server is starting; try again in a moment.");
        var session = new SandboxSession("cs_sandbox_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), request.Tenant, request.UsdCents, "open");
        await documents.PutAsync(KeyOf(session.Id), Write(session), "", cancellation);
        return new CheckoutPage(session.Id, new Uri(address, $"/sandbox/checkout/{session.Id}").ToString());
    }

    /// <summary>Delivers what an earlier process has kept and not delivered.</summary>
    public async Task ResumeAsync(CancellationToken cancellation)
    {
        foreach (var kept in await documents.ListAsync("", Deliveries, "", null, 1_000, cancellation))
        {
            _ = DeliverAsync(kept.Key.Id, kept.Content);
        }
    }

    /// <summary>A session; null when there is none.</summary>
    public async Task<SandboxSession?> FindAsync(string id, CancellationToken cancellation) =>
        id.Length is > 11 and < 64 && await documents.GetAsync(KeyOf(id), cancellation) is { } stored
            ? JsonSerializer.Deserialize(stored.Content, SandboxJson.Default.SandboxSession)
            : null;

    /// <summary>Somebody pressed the button. Pressing it again changes nothing; who cancelled before has cancelled.</summary>
    public async Task<SandboxSession?> PayAsync(string id, CancellationToken cancellation)
    {
        if (await ChangeAsync(id, "paid", cancellation) is not { Status: "paid" } session)
        {
            return await FindAsync(id, cancellation);
        }

        var happened = new PaymentEvent(
            "evt_sandbox_" + id["cs_sandbox_".Length..], PaymentEvent.Completed, time.GetUtcNow().ToUnixTimeSeconds(),
            new PaymentEventData(new CheckoutSession(id, session.UsdCents, "usd", "paid", new Dictionary<string, string> { [PaymentEvent.TenantKey] = session.Tenant })));
        var body = happened.Write();
        await documents.PutAsync(new DocumentKey("", Deliveries, id), body, null, cancellation);
        _ = DeliverAsync(id, body);
        return session;
    }

    /// <summary>Somebody turned back.</summary>
    public async Task<SandboxSession?> CancelAsync(string id, CancellationToken cancellation) =>
        await ChangeAsync(id, "cancelled", cancellation) ?? await FindAsync(id, cancellation);

    /// <summary>Ends the deliveries; the next start goes on with them.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _http.Dispose();
    }

    /// <summary>The session with its new status, when it was open or has it already; else null.</summary>
    private async Task<SandboxSession?> ChangeAsync(string id, string status, CancellationToken cancellation)
    {
        while (id.Length is > 11 and < 64 && await documents.GetAsync(KeyOf(id), cancellation) is { } stored)
        {
            var session = JsonSerializer.Deserialize(stored.Content, SandboxJson.Default.SandboxSession)!;
            if (session.Status == status)
            {
                return session; // A payment whose event was not kept, because the process ended just then, is kept now.
            }

            var changed = session with { Status = status };
            if (session.Status != "open" || await documents.PutAsync(KeyOf(id), Write(changed), stored.ETag, cancellation) is not null)
            {
                return session.Status == "open" ? changed : null;
            }
        }

        return null;
    }

    private async Task DeliverAsync(string id, byte[] body)
    {
        await Task.Yield();
        for (var wait = RetryMin; !_stopping.IsCancellationRequested; wait = wait * 2 < RetryMax ? wait * 2 : RetryMax)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Address!, "/v1/webhooks/stripe")) { Content = new ByteArrayContent(body) };
                request.Content.Headers.ContentType = new("application/json");
                request.Headers.TryAddWithoutValidation(StripeSignature.Header, StripeSignature.Sign(body, webhookSecret, time.GetUtcNow().ToUnixTimeSeconds()));
                using var answer = await _http.SendAsync(request, _stopping.Token);
                if (answer.IsSuccessStatusCode)
                {
                    await documents.DeleteAsync(new DocumentKey("", Deliveries, id), null, CancellationToken.None);
                    return;
                }

                LogRefused(logger, id, (int)answer.StatusCode);
                await Task.Delay(wait, time, _stopping.Token);
            }
            catch (Exception error) when (error is HttpRequestException or StorageException or TaskCanceledException && !_stopping.IsCancellationRequested)
            {
                LogFailed(logger, id, error);
                await Task.Delay(wait, time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                return; // The process ends; the next one delivers.
            }
        }
    }

    private static DocumentKey KeyOf(string id) => new("", Sessions, id);

    private static byte[] Write(SandboxSession session) => JsonSerializer.SerializeToUtf8Bytes(session, SandboxJson.Default.SandboxSession);

    [LoggerMessage(4301, LogLevel.Warning, "The sandbox's payment event {Id} was answered {Status}; it is delivered again")]
    private static partial void LogRefused(ILogger logger, string id, int status);

    [LoggerMessage(4302, LogLevel.Warning, "The sandbox's payment event {Id} was not delivered; it is delivered again")]
    private static partial void LogFailed(ILogger logger, string id, Exception error);
}

/// <summary>A checkout of the sandbox. Status: open, paid or cancelled.</summary>
internal sealed record SandboxSession(string Id, string Tenant, long UsdCents, string Status)
{
    /// <summary>The amount as people read it.</summary>
    [JsonIgnore]
    public string Usd => (UsdCents / 100m).ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>What it buys.</summary>
    [JsonIgnore]
    public string Credits => (UsdCents * Kernel.Ledger.Credits.PerUsd / 100m).ToString("#,0.##", CultureInfo.InvariantCulture);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SandboxSession))]
internal sealed partial class SandboxJson : JsonSerializerContext;
