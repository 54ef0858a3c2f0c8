using Omium.Contracts;
using Omium.Contracts.Billing;
using Omium.Runtime.Billing;
using Xunit;

namespace Omium.Api.Tests.Billing;

public sealed class BillingTests
{
    private const string Secret = "whsec_test";

    private static Task<ApiHost> StartAsync(BillingOptions? options = null) => ApiHost.StartAsync(billing: options ?? new BillingOptions { Plan = Plans.PayAsYouGo, WelcomeCredits = 0 }, payments: new PlayedPayments());

    private static byte[] Event(string payment, string tenant = "ten_a", long cents = 2_000, string status = "paid", string type = PaymentEvent.Completed) =>
        new PaymentEvent("evt_" + payment, type, 1, new PaymentEventData(new CheckoutSession(payment, cents, "usd", status, new Dictionary<string, string> { [PaymentEvent.TenantKey] = tenant }))).Write();

    private static async Task<HttpResponseMessage> DeliverAsync(ApiHost host, byte[] body, string? signature = null)
    {
        using var anybody = new HttpClient { BaseAddress = host.Address };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/webhooks/stripe") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TryAddWithoutValidation(StripeSignature.Header, signature ?? StripeSignature.Sign(body, Secret, DateTimeOffset.UtcNow.ToUnixTimeSeconds()));
        return await anybody.SendAsync(request);
    }

    [Fact]
    public async Task Billing_OfANewTenant_ShowsPlanAndBalance()
    {
        await using var host = await ApiHost.StartAsync();
        using var response = await host.Client.GetAsync("/v1/billing");
        var billing = await ApiHost.ReadAsync(response, ContractJson.Default.BillingView, 200);
        Assert.Equal((20_000, 20, "sandbox", null), (billing.Balance, billing.Usd, billing.Plan.Name, billing.Plan.CheckpointsPerMonth));
        Assert.Equal("20000", response.Headers.GetValues("Omium-Credits-Remaining").Single());
        Assert.Equal(20_000, (await host.GetAsync("/v1/me", ContractJson.Default.MeView)).Credits);
    }

    [Fact]
    public async Task Webhook_OfAPaymentThatTheLedgerRefuses_IsNotAnsweredAsDone()
    {
        await using var host = await StartAsync(new BillingOptions { Plan = new Omium.Kernel.Ledger.PlanTerms("", null, 0) }); // No ledger opens with such a plan.
        using var response = await DeliverAsync(host, Event("cs_1"));
        Assert.Equal("internal_error", (await ApiHost.ReadAsync(response, ContractJson.Default.Problem, 500)).Code);
    }

    [Fact]
    public async Task Webhook_TwiceAndOutOfOrderAndForged_CreditsOnce()
    {
        await using var host = await StartAsync();
        var unpaid = Event("cs_1", status: "unpaid");
        var paid = Event("cs_1", type: PaymentEvent.Arrived);
        using (var forged = await DeliverAsync(host, paid, StripeSignature.Sign(paid, "whsec_wrong", DateTimeOffset.UtcNow.ToUnixTimeSeconds())))
        {
            Assert.Equal("webhook_signature_invalid", (await ApiHost.ReadAsync(forged, ContractJson.Default.Problem, 400)).Code);
        }

        using (var old = await DeliverAsync(host, paid, StripeSignature.Sign(paid, Secret, DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 301)))
        {
            Assert.Equal(400, (int)old.StatusCode);
        }

        var credited = new List<bool>();
        foreach (var body in new[] { paid, unpaid, paid, Event("cs_1") })
        {
            using var response = await DeliverAsync(host, body);
            credited.Add((await ApiHost.ReadAsync(response, ContractJson.Default.PaymentReceipt, 200)).Credited);
        }

        Assert.Equal([true, false, false, false], credited);
        Assert.Equal(20_000, (await host.GetAsync("/v1/billing", ContractJson.Default.BillingView)).Balance);
        var history = await host.GetAsync("/v1/billing/transactions?kind=topup", ContractJson.Default.TransactionPage);
        var topUp = Assert.Single(history.Items);
        Assert.Equal((20_000, "cs_1", "Top-up of 20.00 USD."), (topUp.Credits, topUp.Payment, topUp.Description));
        Assert.Equal(0, topUp.Entries.Sum(entry => entry.Credits));
    }

    [Fact]
    public async Task Webhook_ManyAtOnce_EachPaymentIsCreditedOnceInFewRecords()
    {
        await using var host = await StartAsync();
        await host.GetAsync("/v1/billing", ContractJson.Default.BillingView);
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(n => DeliverAsync(host, Event($"cs_{n % 50}", cents: 1_000))));
        Assert.All(answers, answer => Assert.Equal(200, (int)answer.StatusCode));
        Assert.Equal(500_000, (await host.GetAsync("/v1/billing", ContractJson.Default.BillingView)).Balance);
        var verified = await host.GetAsync("/v1/billing/verify", ContractJson.Default.VerifyView);
        Assert.Equal("identical", verified.Verdict);
        Assert.InRange(verified.Records, 2, 51);
    }

    [Fact]
    public async Task Transactions_PagedOneByOne_AreAllOfThemNewestFirst()
    {
        await using var host = await StartAsync();
        for (var n = 0; n < 5; n++)
        {
            using var answer = await DeliverAsync(host, Event($"cs_{n}", cents: 1_000));
        }

        var whole = await host.GetAsync("/v1/billing/transactions", ContractJson.Default.TransactionPage);
        var paged = new List<string>();
        for (var cursor = ""; ;)
        {
            var page = await host.GetAsync($"/v1/billing/transactions?limit=1{cursor}", ContractJson.Default.TransactionPage);
            paged.AddRange(page.Items.Select(item => item.Id));
            if (page.NextCursor is null)
            {
                break;
            }

            cursor = $"&cursor={page.NextCursor}";
        }

        Assert.Equal(whole.Items.Select(item => item.Id), paged);
        Assert.Equal("cs_4", whole.Items[0].Payment);
        await host.FailAsync(HttpMethod.Get, "/v1/billing/transactions?cursor=x", 422);
    }

    [Fact]
    public async Task TopUp_WithinBounds_LeadsToAPageAndCreditsNothingByItself()
    {
        await using var host = await StartAsync();
        var made = await host.PostAsync("/v1/billing/topups", """{"amount_usd": 20}""", ContractJson.Default.TopUpView, 201);
        Assert.Equal((20, 20_000, "played"), (made.AmountUsd, made.Credits, made.Gateway));
        Assert.Equal(0, (await host.GetAsync("/v1/billing", ContractJson.Default.BillingView)).Balance);
    }

    [Theory]
    [InlineData("9.99")]
    [InlineData("10000.01")]
    [InlineData("10.001")]
    [InlineData("-20")]
    [InlineData("\"20\"")]
    public async Task TopUp_OutOfBounds_IsRefused(string amount)
    {
        await using var host = await StartAsync();
        await host.FailAsync(HttpMethod.Post, "/v1/billing/topups", 422, ApiHost.Json($$"""{"amount_usd": {{amount}}}"""));
    }

    [Fact]
    public async Task TopUp_WithoutAPaymentService_IsUnavailable()
    {
        await using var host = await ApiHost.StartAsync();
        Assert.Equal("payments_unavailable", (await host.FailAsync(HttpMethod.Post, "/v1/billing/topups", 503, ApiHost.Json("""{"amount_usd": 20}"""))).Code);
        using var answer = await DeliverAsync(host, Event("cs_1"), StripeSignature.Sign(Event("cs_1"), "", DateTimeOffset.UtcNow.ToUnixTimeSeconds()));
        Assert.Equal(400, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Ledgers_OfTwoTenants_AreApart()
    {
        await using var host = await StartAsync();
        using var answer = await DeliverAsync(host, Event("cs_1", tenant: "ten_b"));
        using var other = host.ClientOf((await host.Keys.CreateAsync("ten_b", "second", "local")).Secret!);
        Assert.Equal(20_000, (await ApiHost.GetAsync(other, "/v1/billing", ContractJson.Default.BillingView)).Balance);
        Assert.Equal(0, (await host.GetAsync("/v1/billing", ContractJson.Default.BillingView)).Balance);
        Assert.DoesNotContain((await host.GetAsync("/v1/billing/transactions", ContractJson.Default.TransactionPage)).Items, item => item.Kind == "topup");
    }

    private sealed class PlayedPayments : IPaymentGateway
    {
        public string Name => "played";

        public string? Note => null;

        public IReadOnlyList<string> WebhookSecrets => [Secret];

        public Task<CheckoutPage> CreateAsync(CheckoutRequest request, CancellationToken cancellation) => Task.FromResult(new CheckoutPage("cs_played", "https://pay.example/cs_played"));
    }
}
