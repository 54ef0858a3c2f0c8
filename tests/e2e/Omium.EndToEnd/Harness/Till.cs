using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Omium.EndToEnd.Harness;

/// <summary>
/// Money from outside: presses the button of the sandbox's page, and plays the payment service that reports payments, signing as its documentation says
/// (an HMAC-SHA256 of the time, a dot and the body), with code of its own.
/// </summary>
internal sealed class Till(World world) : IDisposable
{
    /// <summary>The secret that Omium is started with.</summary>
    public const string Secret = "whsec_of_the_end_to_end_tests";

    private readonly HttpClient _http = new(new HttpClientHandler { AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>Variables of an Omium whose tenants begin with so many credits and no allowance.</summary>
    public static IReadOnlyDictionary<string, string> Variables(long credits) => new Dictionary<string, string>
    {
        ["OMIUM_BILLING_PLAN"] = "pay_as_you_go",
        ["OMIUM_BILLING_WELCOME_CREDITS"] = credits.ToString(CultureInfo.InvariantCulture),
        ["OMIUM_PAYMENT_WEBHOOK_SECRET"] = Secret,
    };

    /// <summary>The event of a paid checkout, as Stripe words it.</summary>
    public static string Paid(string payment, int usdCents, string status = "paid", string type = "checkout.session.completed", string? eventId = null) => new JsonObject
    {
        ["id"] = eventId ?? $"evt_{payment}",
        ["object"] = "event",
        ["type"] = type,
        ["created"] = 1_760_000_000,
        ["livemode"] = false,
        ["data"] = new JsonObject
        {
            ["object"] = new JsonObject
            {
                ["id"] = payment, ["object"] = "checkout.session", ["amount_total"] = usdCents, ["currency"] = "usd", ["payment_status"] = status,
                ["metadata"] = new JsonObject { ["omium_tenant"] = "ten_local" },
            },
        },
    }.ToJsonString();

    /// <summary>Delivers an event; the status it was answered with, null when the server died over it.</summary>
    public async Task<HttpStatusCode?> DeliverAsync(string body, string secret = Secret, long secondsAgo = 0)
    {
        var time = DateTimeOffset.UtcNow.ToUnixTimeSeconds() - secondsAgo;
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{time}.{body}"))));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(world.Omium.Address, "/v1/webhooks/stripe")) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("Stripe-Signature", string.Create(CultureInfo.InvariantCulture, $"t={time},v1={signature}"));
        try
        {
            using var answer = await _http.SendAsync(request);
            return answer.StatusCode;
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            return null;
        }
    }

    /// <summary>Orders a top-up and shows its page; the page's address and text.</summary>
    public async Task<(Uri Page, string Text)> OrderAsync(int usd)
    {
        var made = (await world.Client.PostAsync("/v1/billing/topups", new JsonObject { ["amount_usd"] = usd })).Expect(HttpStatusCode.Created);
        var page = new Uri((string)made["checkout_url"]!);
        return (page, await _http.GetStringAsync(page));
    }

    /// <summary>Presses the button.</summary>
    public async Task PayAsync(Uri page)
    {
        using var answer = await _http.PostAsync(new Uri(page + "/pay"), null);
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
    }

    /// <summary>Waits until the billing page shows what is expected of it.</summary>
    public async Task<JsonNode> BillingAsync(Func<JsonNode, bool> isThere)
    {
        for (var until = DateTime.UtcNow.AddSeconds(40); ;)
        {
            var billing = await world.Client.GetAsync("/v1/billing");
            if (isThere(billing))
            {
                return billing;
            }

            Assert.True(DateTime.UtcNow < until, $"It is not there after 40 s: {billing.ToJsonString()}");
            await Task.Delay(20);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();
}
