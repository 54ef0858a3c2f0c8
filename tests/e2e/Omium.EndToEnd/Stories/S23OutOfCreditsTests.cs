using System.Globalization;
using System.Net;
using System.Text;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S23: without credits nothing new starts; what runs waits at a step boundary and goes on after the top-up; nobody overspends.</summary>
public sealed class S23OutOfCreditsTests
{
    private static string Spec(int steps)
    {
        var text = new StringBuilder("omium: v0\nname: steps\ntools:\n  noop: {type: function, function: noop, effect: {kind: none}}\nsteps:\n");
        for (var step = 1; step <= steps; step++)
        {
            text.Append(CultureInfo.InvariantCulture, $"  - {{id: s{step}, type: tool_call, tool: noop{(step > 1 ? $", needs: [s{step - 1}]" : "")}}}\n");
        }

        return text.ToString();
    }

    private static JsonObject Start() => new() { ["workflow"] = "steps" };

    [Fact]
    public async Task S23_AHundredStartsOnTheLastCredit_OverspendByNothing()
    {
        await using var world = await World.StartAsync(variables: _ => Till.Variables(5));
        using var till = new Till(world);
        await world.Client.SaveAsync(Spec(1));

        var replies = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => world.Client.PostAsync("/v1/executions", Start())));

        Assert.Equal(1, replies.Count(reply => reply.Status == HttpStatusCode.Created));
        var refused = replies.Where(reply => reply.Status != HttpStatusCode.Created).ToArray();
        Assert.All(refused, reply => reply.ExpectProblem(HttpStatusCode.PaymentRequired, "CREDITS_EXHAUSTED"));
        var billing = await till.BillingAsync(billing => (double)billing["reserved"]! == 0);
        Assert.Equal((0, 5, 0), ((double)billing["balance"]!, (double)billing["spent"]!, (double)billing["overdraft"]!));
        Assert.Single((await world.Client.GetAsync("/v1/executions"))["items"]!.AsArray());
        World.Say($"100 starts on 5 credits: 1 began, {refused.Length} were refused, overspent {-(double)billing["overdraft"]!}");
    }

    [Fact]
    public async Task S23_ARunOutOfCredits_WaitsAtAStepBoundaryAcrossAKillAndGoesOnAfterTheTopUp()
    {
        await using var world = await World.StartAsync(variables: _ => Till.Variables(10));
        using var till = new Till(world);
        await world.Client.SaveAsync(Spec(5));
        var execution = (string)(await world.Client.PostAsync("/v1/executions", Start())).Expect(HttpStatusCode.Created)["id"]!;
        await till.BillingAsync(billing => (double)billing["spent"]! + (double)billing["reserved"]! == 10 && (double)billing["balance"]! == 0);
        await WaitForCreditsAsync(world, execution);
        (await world.Client.PostAsync("/v1/executions", Start())).ExpectProblem(HttpStatusCode.PaymentRequired, "CREDITS_EXHAUSTED");

        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();
        var waiting = await WaitForCreditsAsync(world, execution);
        Assert.Equal(["s1", "s2"], waiting["steps"]!.AsArray().Select(step => (string)step!["step"]!));

        var (page, text) = await till.OrderAsync(20);
        Assert.Contains("This is a sandbox", text, StringComparison.Ordinal);
        await till.PayAsync(page);
        await world.Client.WaitForStatusAsync(execution, "succeeded");

        var billing = await till.BillingAsync(billing => (double)billing["reserved"]! == 0);
        Assert.Equal((19_985, 25, 0), ((double)billing["balance"]!, (double)billing["spent"]!, (double)billing["overdraft"]!));
        Assert.Equal("identical", (string?)(await world.Client.GetAsync("/v1/billing/verify"))["verdict"]);
        Assert.Equal("identical", (string?)(await world.Client.GetAsync($"/v1/executions/{execution}/verify"))["verdict"]);
    }

    /// <summary>A run that ends just when the process dies: what it had reserved comes back all the same.</summary>
    [Fact]
    public async Task S23_KilledWhileManyRunsEnd_NothingStaysReserved()
    {
        await using var world = await World.StartAsync(variables: _ => Till.Variables(100_000));
        using var till = new Till(world);
        await world.Client.SaveAsync(Spec(3));
        var ids = new List<string>();
        for (var round = 0; round < 3; round++)
        {
            var starts = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => world.Client.PostAsync("/v1/executions", Start())));
            ids.AddRange(starts.Select(reply => (string)reply.Expect(HttpStatusCode.Created)["id"]!));
            world.Omium.KillHard();
            await world.Omium.StartAgainAsync();
        }

        foreach (var id in ids)
        {
            await world.Client.WaitForStatusAsync(id, "succeeded");
        }

        var billing = await till.BillingAsync(billing => (double)billing["reserved"]! == 0);
        Assert.Equal(ids.Count * 15, (double)billing["spent"]!);
        Assert.Equal(100_000 - (ids.Count * 15), (double)billing["balance"]!);
        Assert.Equal("identical", (string?)(await world.Client.GetAsync("/v1/billing/verify"))["verdict"]);
    }

    private static async Task<JsonNode> WaitForCreditsAsync(World world, string execution)
    {
        for (var until = DateTime.UtcNow.AddSeconds(30); ;)
        {
            var view = await world.Client.GetAsync($"/v1/executions/{execution}");
            if ((string?)view["waiting_for"] == "credits" && view["steps"]!.AsArray().Count(step => (string?)step!["status"] == "committed") == 2)
            {
                return view;
            }

            Assert.True(DateTime.UtcNow < until, $"It does not wait for credits: {view.ToJsonString()}");
            await Task.Delay(10);
        }
    }
}
