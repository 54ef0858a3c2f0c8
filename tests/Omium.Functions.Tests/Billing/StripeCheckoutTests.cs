using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Omium.Api.Tests;
using Omium.Contracts;
using Omium.Functions.Billing;
using Omium.Runtime.Billing;
using Stripe;

namespace Omium.Functions.Tests.Billing;

/// <summary>The gateway over Stripe.net against a server that answers as Stripe documents it, and the events of what it made through the API.</summary>
public sealed class StripeCheckoutTests : IAsyncLifetime
{
    private const string Secret = "whsec_of_the_tests";
    private PlayedStripe _stripe = null!;

    public async ValueTask InitializeAsync() => _stripe = await PlayedStripe.StartAsync();

    public ValueTask DisposeAsync() => _stripe.DisposeAsync();

    private StripeCheckout Gateway(string key = PlayedStripe.ApiKey, params string[] secrets) =>
        new(new StripeOptions(key, secrets is [] ? [Secret] : secrets, new Uri("https://console.example/billing"), _stripe.Address), NullLogger<StripeCheckout>.Instance);

    private static Task<ApiHost> StartAsync(StripeCheckout gateway) => ApiHost.StartAsync(billing: new BillingOptions { Plan = Plans.PayAsYouGo, WelcomeCredits = 0 }, payments: gateway);

    /// <summary>Signed as https://docs.stripe.com/webhooks#verify-manually describes it, by none of the code under test.</summary>
    private static string Sign(byte[] body, string secret = Secret, long secondsAgo = 0)
    {
        var at = DateTimeOffset.UtcNow.ToUnixTimeSeconds() - secondsAgo;
        return $"t={at},v1={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), (byte[])[.. Encoding.UTF8.GetBytes($"{at}."), .. body]))}";
    }

    private static async Task<(int Status, bool Credited)> DeliverAsync(ApiHost host, byte[] body, string signature)
    {
        using var anybody = host.Anonymous();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/webhooks/stripe") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TryAddWithoutValidation("Stripe-Signature", signature);
        using var answer = await anybody.SendAsync(request);
        return ((int)answer.StatusCode, answer.IsSuccessStatusCode && (await ApiHost.ReadAsync(answer, ContractJson.Default.PaymentReceipt, 200)).Credited);
    }

    [Fact]
    public async Task Create_ATopUp_IsASessionOfTheAmountForTheTenant()
    {
        using var gateway = Gateway();
        var page = await gateway.CreateAsync(new CheckoutRequest("ten_a", 2_050), CancellationToken.None);

        Assert.Equal($"https://checkout.stripe.com/c/pay/{page.Id}", page.Url);
        var request = Assert.Single(_stripe.Requests);
        Assert.Equal(("POST", "/v1/checkout/sessions", $"Bearer {PlayedStripe.ApiKey}"), (request.Method, request.Path, request.Authorization));
        Assert.Equal("payment", request.Form["mode"]);
        Assert.Equal("ten_a", request.Form["client_reference_id"]);
        Assert.Equal("ten_a", request.Form["metadata[omium_tenant]"]);
        Assert.Equal("ten_a", request.Form["payment_intent_data[metadata][omium_tenant]"]);
        Assert.Equal(("usd", "2050", "1"), (request.Form["line_items[0][price_data][currency]"], request.Form["line_items[0][price_data][unit_amount]"], request.Form["line_items[0][quantity]"]));
        Assert.Equal("20,500 Omium credits", request.Form["line_items[0][price_data][product_data][name]"]);
        Assert.Equal(("https://console.example/billing", "https://console.example/billing"), (request.Form["success_url"], request.Form["cancel_url"]));
    }

    [Fact]
    public async Task Create_Repeatedly_HasAnIdempotencyKeyOfItsOwnEachTime()
    {
        using var gateway = Gateway();
        for (var i = 0; i < 3; i++)
        {
            await gateway.CreateAsync(new CheckoutRequest("ten_a", 2_000), CancellationToken.None);
        }

        Assert.All(_stripe.Requests.Where(request => request.Method == "POST"), request => Assert.False(string.IsNullOrEmpty(request.IdempotencyKey)));
        Assert.Equal(3, _stripe.Requests.Select(request => request.IdempotencyKey).Distinct().Count());
        Assert.Equal(3, _stripe.Sessions.Count);
    }

    [Fact]
    public async Task Create_WhenAnswersAreLostAndRefused_RepeatsUnderOneKeyAndMakesOneSession()
    {
        using var gateway = Gateway();
        _stripe.Faults.Enqueue(PlayedStripe.Fault.AnswerLost);
        _stripe.Faults.Enqueue(PlayedStripe.Fault.Unavailable);
        var page = await gateway.CreateAsync(new CheckoutRequest("ten_a", 2_000), CancellationToken.None);

        Assert.Equal(3, _stripe.Requests.Count);
        Assert.Single(_stripe.Requests.Select(request => request.IdempotencyKey).Distinct());
        Assert.Equal(page.Id, Assert.Single(_stripe.Sessions).Key);
    }

    [Fact]
    public async Task Create_WithAKeyThatIsRefused_SaysSoWithoutTheKey()
    {
        using var gateway = Gateway("sk_test_wrong");
        await using var host = await StartAsync(gateway);
        var problem = await host.FailAsync(HttpMethod.Post, "/v1/billing/topups", 503, ApiHost.Json("""{"amount_usd": 20}"""));
        Assert.Equal("payments_unavailable", problem.Code);
        Assert.DoesNotContain("sk_test", problem.Detail, StringComparison.Ordinal);
        Assert.Empty(_stripe.Sessions);
    }

    [Fact]
    public async Task Webhook_OfWhatTheGatewayMade_CreditsOnceReplayedAndReordered()
    {
        using var gateway = Gateway();
        await using var host = await StartAsync(gateway);
        var made = await host.PostAsync("/v1/billing/topups", """{"amount_usd": 20}""", ContractJson.Default.TopUpView, 201);
        Assert.Equal(("stripe", $"https://checkout.stripe.com/c/pay/{made.Id}"), (made.Gateway, made.CheckoutUrl));

        // A slow payment: its arrival is delivered before the completion that came first, then everything once more.
        var completed = _stripe.Event(made.Id, paymentStatus: "unpaid");
        var arrived = _stripe.Event(made.Id, "checkout.session.async_payment_succeeded");
        Assert.Equal((200, true), await DeliverAsync(host, arrived, Sign(arrived)));
        Assert.Equal((200, false), await DeliverAsync(host, completed, Sign(completed)));
        Assert.Equal((200, false), await DeliverAsync(host, arrived, Sign(arrived)));
        var again = _stripe.Event(made.Id);
        Assert.Equal((200, false), await DeliverAsync(host, again, Sign(again)));
        Assert.Equal(20_000, (await host.GetAsync("/v1/billing", ContractJson.Default.BillingView)).Balance);
    }

    [Fact]
    public async Task Webhook_BadOldOrOfAnotherEndpoint_IsRefusedAndCreditsNothing()
    {
        using var gateway = Gateway();
        await using var host = await StartAsync(gateway);
        var made = await host.PostAsync("/v1/billing/topups", """{"amount_usd": 20}""", ContractJson.Default.TopUpView, 201);
        var paid = _stripe.Event(made.Id);
        var signature = Sign(paid);
        string[] bad = [Sign(paid, "whsec_of_another_endpoint"), Sign(paid, secondsAgo: 301), signature.Replace("v1=", "v0=", StringComparison.Ordinal), $"t=1,{signature.Split(',')[1]}", "", Sign(_stripe.Event(made.Id))];
        foreach (var header in bad)
        {
            Assert.Equal((400, false), await DeliverAsync(host, paid, header));
        }

        Assert.Equal(0, (await host.GetAsync("/v1/billing", ContractJson.Default.BillingView)).Balance);
        Assert.Equal((200, true), await DeliverAsync(host, paid, signature));
    }

    [Fact]
    public async Task Webhook_WhileTheSecretIsReplaced_IsBelievedByEither()
    {
        using var gateway = Gateway(PlayedStripe.ApiKey, "whsec_old", "whsec_new");
        await using var host = await StartAsync(gateway);
        foreach (var secret in gateway.WebhookSecrets)
        {
            var made = await host.PostAsync("/v1/billing/topups", """{"amount_usd": 10}""", ContractJson.Default.TopUpView, 201);
            var paid = _stripe.Event(made.Id);
            Assert.Equal((200, true), await DeliverAsync(host, paid, Sign(paid, secret)));
        }

        Assert.Equal(20_000, (await host.GetAsync("/v1/billing", ContractJson.Default.BillingView)).Balance);
    }

    /// <summary>Omium verifies by code of its own, because hosts without Stripe.net do it too: the library's verdict is the same.</summary>
    [Theory]
    [InlineData(0, Secret, true)]
    [InlineData(295, Secret, true)]
    [InlineData(310, Secret, false)]
    [InlineData(0, "whsec_of_another_endpoint", false)]
    public async Task Signature_AsTheLibraryJudgesIt_IsJudgedHere(long secondsAgo, string secret, bool holds)
    {
        using var gateway = Gateway();
        var page = await gateway.CreateAsync(new CheckoutRequest("ten_a", 2_000), CancellationToken.None);
        var body = _stripe.Event(page.Id);
        foreach (var header in new[] { Sign(body, secret, secondsAgo), StripeSignature.Sign(body, secret, DateTimeOffset.UtcNow.ToUnixTimeSeconds() - secondsAgo) })
        {
            Assert.Equal(holds, StripeSignature.TryVerify(body, header, [Secret], DateTimeOffset.UtcNow, out _));
            Assert.Equal(holds, Record.Exception(() => EventUtility.ValidateSignature(Encoding.UTF8.GetString(body), header, Secret)) is null);
        }

        var read = EventUtility.ParseEvent(Encoding.UTF8.GetString(body), throwOnApiVersionMismatch: false);
        var session = Assert.IsType<Stripe.Checkout.Session>(read.Data.Object);
        Assert.Equal(PaymentEvent.Read(body)!.TopUp, (session.Id, session.Metadata[PaymentEvent.TenantKey], session.AmountTotal!.Value));
    }

    [Theory]
    [InlineData("", "whsec_1", "https://console.example", null)]
    [InlineData("sk_live_1", "", "https://console.example", "OMIUM_STRIPE_WEBHOOK_SECRETS")]
    [InlineData("sk_live_1", "whsec_1", null, "console")]
    [InlineData("@Microsoft.KeyVault(SecretUri=https://v/secrets/s)", "whsec_1", "https://console.example", "OMIUM_STRIPE_API_KEY")]
    public void Options_ThatAreIncomplete_AreAbsentOrRefusedByName(string key, string secrets, string? console, string? named)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(StripeOptions.ApiKeyName, key), new(StripeOptions.WebhookSecretsName, secrets)]).Build();
        if (named is null)
        {
            Assert.Null(StripeOptions.From(configuration, console));
        }
        else
        {
            Assert.Contains(named, Assert.Throws<FormatException>(() => StripeOptions.From(configuration, console)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Options_OfTwoSecrets_HoldBoth()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new(StripeOptions.ApiKeyName, "sk_live_1"), new(StripeOptions.WebhookSecretsName, "whsec_1, whsec_2")]).Build();
        var options = StripeOptions.From(configuration, "https://console.example")!;
        Assert.Equal(["whsec_1", "whsec_2"], options.WebhookSecrets);
        Assert.False(options.IsTest);
        Assert.Equal("https://console.example/billing", options.ReturnTo.ToString());
    }
}
