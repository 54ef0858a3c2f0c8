using System.Globalization;
using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S24: a top-up is credited exactly once, whatever is delivered how often, in which order, by whom, and when the process dies over it.</summary>
public sealed class S24TopUpTests
{
    private const int Kills = 8;

    [Fact]
    public async Task S24_TwentyDollarsThroughTheCheckout_AreCreditedOnceWhateverElseIsDelivered()
    {
        await using var world = await World.StartAsync(variables: _ => Till.Variables(0));
        using var till = new Till(world);

        var (page, text) = await till.OrderAsync(20);
        Assert.Contains("no money moves", text, StringComparison.Ordinal);
        Assert.Contains("20.00 USD", text, StringComparison.Ordinal);
        Assert.Equal(0, (double)(await world.Client.GetAsync("/v1/billing"))["balance"]!);
        await till.PayAsync(page);
        await till.PayAsync(page); // Pressed twice.
        await till.BillingAsync(billing => (double)billing["balance"]! == 20_000);

        var payment = page.Segments[^1];
        Assert.Equal(HttpStatusCode.OK, await till.DeliverAsync(Till.Paid(payment, 2_000, status: "unpaid"))); // Out of order.
        Assert.Equal(HttpStatusCode.OK, await till.DeliverAsync(Till.Paid(payment, 2_000)));
        Assert.Equal(HttpStatusCode.OK, await till.DeliverAsync(Till.Paid(payment, 2_000, type: "checkout.session.async_payment_succeeded", eventId: "evt_other")));
        Assert.Equal(HttpStatusCode.BadRequest, await till.DeliverAsync(Till.Paid("cs_forged", 100_000), secret: "whsec_guessed"));
        Assert.Equal(HttpStatusCode.BadRequest, await till.DeliverAsync(Till.Paid("cs_old", 100_000), secondsAgo: 301));

        var billing = await world.Client.GetAsync("/v1/billing");
        Assert.Equal((20_000, 20), ((double)billing["balance"]!, (double)billing["usd"]!));
        var topUp = Assert.Single((await world.Client.GetAsync("/v1/billing/transactions?kind=topup"))["items"]!.AsArray())!;
        Assert.Equal((payment, 20_000), ((string?)topUp["payment"], (double)topUp["credits"]!));
        Assert.Equal(0, topUp["entries"]!.AsArray().Sum(entry => (double)entry!["credits"]!));
    }

    /// <summary>The payment service delivers until it is answered 2xx, as Stripe does; the process is killed at moments around the credit.</summary>
    [Fact]
    public async Task S24_KilledBetweenWebhookAndCredit_EachPaymentIsCreditedOnce()
    {
        await using var world = await World.StartAsync(variables: _ => Till.Variables(0));
        using var till = new Till(world);
        var random = new Random(Surroundings.Seed);
        var (deliveries, died) = (0, 0);
        for (var kill = 0; kill < Kills; kill++)
        {
            var body = Till.Paid(string.Create(CultureInfo.InvariantCulture, $"cs_{kill}"), 2_000);
            var delivering = till.DeliverAsync(body);
            await Task.Delay(TimeSpan.FromMilliseconds(random.NextDouble() * 12)); // The moment of the kill, which is what is drawn here.
            world.Omium.KillHard();
            deliveries++;
            died += await delivering is null ? 1 : 0;
            await world.Omium.StartAgainAsync();
            for (var answered = (HttpStatusCode?)null; answered != HttpStatusCode.OK; deliveries++)
            {
                answered = await till.DeliverAsync(body);
            }
        }

        var billing = await world.Client.GetAsync("/v1/billing");
        Assert.Equal(Kills * 20_000, (double)billing["balance"]!);
        Assert.Equal(Kills, (await world.Client.GetAsync("/v1/billing/transactions?kind=topup"))["items"]!.AsArray().Count);
        Assert.Equal("identical", (string?)(await world.Client.GetAsync("/v1/billing/verify"))["verdict"]);
        World.Say($"{Kills} payments, {deliveries} deliveries, {died} of them died unanswered: credited {(double)billing["balance"]!} credits");
    }

    /// <summary>Paid on the page, and the process dies before the event is answered: the next one delivers it.</summary>
    [Fact]
    public async Task S24_KilledAfterTheButton_TheSandboxDeliversAfterTheRestart()
    {
        await using var world = await World.StartAsync(variables: _ => Till.Variables(0));
        using var till = new Till(world);
        for (var round = 1; round <= 3; round++)
        {
            var (page, _) = await till.OrderAsync(50);
            await till.PayAsync(page);
            world.Omium.KillHard();
            await world.Omium.StartAgainAsync();
            await till.BillingAsync(billing => (double)billing["balance"]! == round * 50_000);
        }

        Assert.Equal(3, (await world.Client.GetAsync("/v1/billing/transactions?kind=topup"))["items"]!.AsArray().Count);
    }
}
