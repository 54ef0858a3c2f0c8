using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Omium.Functions.Tests.Billing;

/// <summary>
/// A server on this machine that answers in Stripe's documented shapes: checkout sessions (https://docs.stripe.com/api/checkout/sessions/object), errors
/// (https://docs.stripe.com/api/errors), idempotent requests (https://docs.stripe.com/api/idempotent_requests: the same key gets the first answer again, with
/// other parameters it is refused) and events (https://docs.stripe.com/api/events/object).
/// </summary>
internal sealed class PlayedStripe : IAsyncDisposable
{
    public const string ApiKey = "sk_test_of_the_tests";
    private readonly WebApplication _server;
    private readonly ConcurrentDictionary<string, (string Form, string Session)> _answered = new();

    private PlayedStripe(WebApplication server) => _server = server;

    /// <summary>Every request that came in, the newest last.</summary>
    public ConcurrentQueue<(string Method, string Path, string? IdempotencyKey, string? Authorization, IReadOnlyDictionary<string, string> Form)> Requests { get; } = new();

    /// <summary>Sessions that were made, by their ids.</summary>
    public ConcurrentDictionary<string, JsonObject> Sessions { get; } = new();

    /// <summary>What happens to the next requests before they are answered; then they are answered well.</summary>
    public ConcurrentQueue<Fault> Faults { get; } = new();

    public Uri Address => new(_server.Urls.First());

    public static async Task<PlayedStripe> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = builder.Build();
        var stripe = new PlayedStripe(server);
        server.Run(stripe.AnswerAsync);
        await server.StartAsync();
        return stripe;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>An event as Stripe writes it: with many members that nobody asked for.</summary>
    public byte[] Event(string session, string type = "checkout.session.completed", string paymentStatus = "paid", string? id = null)
    {
        var about = JsonNode.Parse(Sessions[session].ToJsonString())!.AsObject();
        (about["payment_status"], about["status"], about["url"]) = (paymentStatus, "complete", null);
        var happened = new JsonObject
        {
            ["id"] = id ?? $"evt_{Guid.NewGuid():N}", ["object"] = "event", ["api_version"] = "2026-03-25.dahlia", ["created"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
            ["data"] = new JsonObject { ["object"] = about }, ["livemode"] = false, ["pending_webhooks"] = 1,
            ["request"] = new JsonObject { ["id"] = null, ["idempotency_key"] = null }, ["type"] = type,
        };
        return JsonSerializer.SerializeToUtf8Bytes(happened);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        var form = request.HasFormContentType ? (await request.ReadFormAsync()).ToDictionary(field => field.Key, field => field.Value.ToString()) : [];
        var key = request.Headers["Idempotency-Key"].FirstOrDefault();
        Requests.Enqueue((request.Method, request.Path, key, request.Headers.Authorization.FirstOrDefault(), form));
        context.Response.Headers["Request-Id"] = $"req_{Guid.NewGuid():N}"[..18];
        Faults.TryDequeue(out var fault);
        if (fault is Fault.Unavailable)
        {
            await FailAsync(context, 503, "api_error", null, "We could not process the request.");
        }
        else if (request.Headers.Authorization != $"Bearer {ApiKey}")
        {
            await FailAsync(context, 401, "invalid_request_error", null, "Invalid API Key provided: sk_test_*******ests");
        }
        else if (request.Method != "POST" || request.Path != "/v1/checkout/sessions")
        {
            await FailAsync(context, 404, "invalid_request_error", "resource_missing", $"Unrecognized request URL ({request.Method}: {request.Path}).");
        }
        else
        {
            await CreateAsync(context, key, form, fault);
        }
    }

    private async Task CreateAsync(HttpContext context, string? key, Dictionary<string, string> form, Fault fault)
    {
        var sent = string.Join('&', form.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => $"{field.Key}={field.Value}"));
        var (firstForm, session) = key is null ? (sent, Make(form)) : _answered.GetOrAdd(key, _ => (sent, Make(form)));
        if (fault is Fault.AnswerLost)
        {
            context.Abort();
        }
        else if (firstForm != sent)
        {
            await FailAsync(context, 400, "idempotency_error", null, "Keys for idempotent requests can only be used with the same parameters they were first used with.");
        }
        else
        {
            context.Response.Headers["Idempotency-Key"] = key;
            await context.Response.WriteAsJsonAsync(Sessions[session]);
        }
    }

    private string Make(Dictionary<string, string> form)
    {
        var id = $"cs_test_{Guid.NewGuid():N}";
        var amount = long.Parse(form["line_items[0][price_data][unit_amount]"], System.Globalization.CultureInfo.InvariantCulture) * int.Parse(form["line_items[0][quantity]"], System.Globalization.CultureInfo.InvariantCulture);
        Sessions[id] = new JsonObject
        {
            ["id"] = id, ["object"] = "checkout.session", ["after_expiration"] = null, ["allow_promotion_codes"] = null, ["amount_subtotal"] = amount, ["amount_total"] = amount,
            ["automatic_tax"] = new JsonObject { ["enabled"] = false, ["liability"] = null, ["status"] = null }, ["cancel_url"] = form["cancel_url"],
            ["client_reference_id"] = form["client_reference_id"], ["created"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds(), ["currency"] = form["line_items[0][price_data][currency]"],
            ["customer"] = null, ["expires_at"] = DateTimeOffset.UtcNow.AddDays(1).ToUnixTimeSeconds(), ["livemode"] = false,
            ["metadata"] = new JsonObject { ["omium_tenant"] = form["metadata[omium_tenant]"] }, ["mode"] = form["mode"], ["payment_intent"] = null,
            ["payment_method_types"] = new JsonArray("card"), ["payment_status"] = "unpaid", ["status"] = "open", ["success_url"] = form["success_url"],
            ["total_details"] = new JsonObject { ["amount_discount"] = 0, ["amount_shipping"] = 0, ["amount_tax"] = 0 }, ["url"] = $"https://checkout.stripe.com/c/pay/{id}",
        };
        return id;
    }

    private static Task FailAsync(HttpContext context, int status, string type, string? code, string message)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new JsonObject { ["error"] = new JsonObject { ["type"] = type, ["code"] = code, ["message"] = message } });
    }

    internal enum Fault
    {
        None,

        /// <summary>503 before anything was done.</summary>
        Unavailable,

        /// <summary>The session is made, and the connection dropped before the answer.</summary>
        AnswerLost,
    }
}
