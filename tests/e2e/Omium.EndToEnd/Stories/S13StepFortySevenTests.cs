using System.Globalization;
using System.Net;
using System.Text;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>
/// S13: of a hundred steps the 47th fails, because the 15th answered wrong data. The failure and the graph name the 15th, the path and the value; with
/// corrected data the 15th and what depends on it run again, and nothing else. Each step is counted at the receiver.
/// </summary>
public sealed class S13StepFortySevenTests
{
    private const int Steps = 100, Wrong = 15, Failing = 47;

    [Fact]
    public async Task S13_RunAgainWithACorrectedOutput_RunsWhatDependsOnItAndNothingElse()
    {
        await using var world = await World.StartAsync();
        var failed = await FailAsync(world);
        await AssertRootCauseAsync(world, failed);

        await AnswerAsync(world, 3, from: Wrong + 1);
        var execution = (string)failed["id"]!;
        var retry = new JsonObject { ["from"] = "s15", ["output"] = new JsonObject { ["rate"] = 3 } };
        (await world.Client.PostAsync($"/v1/executions/{execution}/retry", retry)).Expect(HttpStatusCode.OK);
        await world.Client.WaitForStatusAsync(execution, "succeeded");
        await AssertCountsAsync(world, again: Enumerable.Range(Wrong + 1, Failing - Wrong - 1));
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    [Fact]
    public async Task S13_RunAgainFromTheStepItself_RunsItTooAndNothingElse()
    {
        await using var world = await World.StartAsync();
        var failed = await FailAsync(world);
        await AnswerAsync(world, 3, from: Wrong);
        var execution = (string)failed["id"]!;
        (await world.Client.PostAsync($"/v1/executions/{execution}/retry", new JsonObject { ["from"] = "s15", ["again"] = true })).Expect(HttpStatusCode.OK);
        var done = await world.Client.WaitForStatusAsync(execution, "succeeded");
        await AssertCountsAsync(world, again: Enumerable.Range(Wrong, Failing - Wrong));

        // The branch that does not depend on it keeps its visits.
        var visits = done["steps"]!.AsArray().Where(step => (string?)step!["status"] == "committed").ToDictionary(step => (string)step!["step"]!, step => (int)step!["visit"]!);
        Assert.All(Enumerable.Range(1, Wrong - 1).Concat(Enumerable.Range(48, 52)), number => Assert.Equal(1, visits[Name(number)]));
        Assert.All(Enumerable.Range(Wrong, Failing - Wrong + 1), number => Assert.Equal(2, visits[Name(number)]));
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    private static async Task AssertRootCauseAsync(World world, JsonNode failed)
    {
        var failure = await world.Client.GetAsync($"/v1/failures/{failed["failure_id"]}");
        var graph = await world.Client.GetAsync($"/v1/executions/{failed["id"]}/graph");
        foreach (var cause in new[] { failure["root_cause"]!, graph["root_cause"]! })
        {
            Assert.Equal(("s15", "output.rate", -3), ((string?)cause["step"], (string?)cause["path"], (int)cause["value"]!));
            Assert.Equal(Enumerable.Range(Wrong, Failing - Wrong).Select(Name), cause["trail"]!.AsArray().Select(hop => (string)hop!["step"]!));
            Assert.Contains("s15 answered rate -3", (string)cause["explanation"]!, StringComparison.Ordinal);
        }

        Assert.Contains(graph["data"]!.AsArray(), edge => (string?)edge!["from"]!["step"] == "s15" && (string?)edge["to"]!["step"] == "s16");
        World.Say((string)failure["root_cause"]!["explanation"]!);
    }

    /// <summary>One request for each step that could run, two for those that ran again.</summary>
    private static async Task AssertCountsAsync(World world, IEnumerable<int> again)
    {
        var twice = again.ToHashSet();
        var counts = new Dictionary<int, int>();
        for (var number = 1; number <= Steps; number++)
        {
            counts[number] = (await world.Receiver.CountAsync(Name(number))).Requests;
        }

        Assert.All(counts, count => Assert.Equal((count.Key, twice.Contains(count.Key) ? 2 : 1), (count.Key, count.Value)));
        World.Say($"{counts.Values.Sum()} requests for {Steps} steps, {twice.Count} of them ran again");
    }

    private static async Task<JsonNode> FailAsync(World world)
    {
        await world.Client.SaveAsync(Spec(world.Receiver.Address));
        await AnswerAsync(world, -3, from: Wrong);
        var failed = (await world.Client.PostAsync("/v1/executions", new JsonObject { ["workflow"] = "hundred" }, waitSeconds: 30)).Expect(HttpStatusCode.Created);
        Assert.Equal(("failed", "s47"), ((string?)failed["status"], (string?)failed["failure"]!["step"]));
        Assert.Equal(0, (await world.Receiver.CountAsync("s47")).Requests);
        return failed;
    }

    /// <summary>From here to the 46th, every step answers the rate that it was given by the one before: this one.</summary>
    private static async Task AnswerAsync(World world, int rate, int from)
    {
        for (var number = from; number < Failing; number++)
        {
            await world.Receiver.ControlAsync(new JsonObject { ["name"] = Name(number), ["answer"] = new JsonObject { ["rate"] = rate } });
        }
    }

    /// <summary>1 to 14 in a row; then two branches: 15 to 46, which hand a rate on, and 48 to 99; both lead to 47, and that to 100.</summary>
    private static string Spec(Uri receiver)
    {
        var spec = new StringBuilder($$$"""
            omium: v0
            name: hundred
            tools:
              call: {type: http, url: "{{{receiver}}}effects/${{ input.name }}"}
            steps:

            """);
        for (var number = 1; number <= Steps; number++)
        {
            var needs = number switch { 1 => "", 48 => "s14", Failing => "s46, s99", Steps => "s47", _ => Name(number - 1) };
            var rate = number is > Wrong and < Failing ? $", rate: \"${{{{ steps.{Name(number - 1)}.output.rate }}}}\"" : "";
            var guard = number == Failing ? ", guards: {pre: [{check: \"steps.s46.output.rate >= 0\", code: rate_negative}]}" : "";
            spec.Append(CultureInfo.InvariantCulture, $"  - {{id: s{number}, type: tool_call, tool: call, needs: [{needs}], input: {{name: s{number}{rate}}}{guard}}}\n");
        }

        return spec.ToString();
    }

    private static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"s{number}");
}
