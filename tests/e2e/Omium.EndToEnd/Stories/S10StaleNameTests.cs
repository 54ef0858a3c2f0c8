using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S10: the customer's name changes at step 23; terms were written with the old one. No letter goes out with it; only the terms are written again.</summary>
public sealed class S10StaleNameTests
{
    private const int StepOfTheChange = 23;

    private const string Script = """
        rules:
          - name: terms for the old name
            when: {agent: Terms, user_contains: Jane Smith}
            answer: {json: {text: "Dear Jane Smith, 36 months at 5.2 %."}}
          - name: terms for the new name
            when: {agent: Terms, user_contains: Jane Miller}
            answer: {json: {text: "Dear Jane Miller, 36 months at 5.2 %."}}
        """;

    private const string Register = """
        omium: v0
        name: register
        steps:
          - {id: put, type: decision, input: {name: "${{ input.name }}"}, writes: ["customer/${{ input.customer }}#name"]}
        """;

    /// <summary>Terms first, then step after step; the 23rd changes the name; the letter says what the terms say.</summary>
    private const string Offer = """
        omium: v0
        name: offer
        agents:
          terms: {role: Terms, goal: Write the terms., prompt: Write the terms of the loan.}
        tools:
          work: {type: http, url: "RECEIVEReffects/work"}
          letter: {type: http, url: "RECEIVEReffects/letter", effect: {kind: idempotent, compensate: revoke}}
          revoke: {type: http, url: "RECEIVEReffects/revoke", effect: {kind: idempotent}}
        steps:
          - {id: terms, type: agent_task, agent: terms, reads: ["customer/${{ input.customer }}#name"], input: {name: "${{ state.name }}"}, output: {schema: {type: object, required: [text], properties: {text: {type: string}}}}}
        BETWEEN
          - {id: step_23, type: decision, needs: [step_22], input: {name: "${{ input.new_name }}"}, writes: ["customer/${{ input.customer }}#name"]}
          - {id: letter, type: tool_call, tool: letter, needs: [step_23], input: {text: "${{ steps.terms.output.text }}"}}
        """;

    [Fact]
    public async Task S10_NameChangesAtStep23_NoLetterWithTheOldOne_OnlyTermsAreWrittenAgain()
    {
        await using var world = await World.StartAsync(Script);
        await world.Client.SaveAsync(Register);
        await world.Client.SaveAsync(Offer.Replace("BETWEEN", Between(), StringComparison.Ordinal).Replace("RECEIVER", world.Receiver.Address.ToString(), StringComparison.Ordinal));
        await Orders.RunAsync(world.Client, "register", new JsonObject { ["customer"] = "c-42", ["name"] = "Jane Smith" });
        await Orders.ValueAsync(world.Client, "customer/c-42#name", 1);

        var ended = await Orders.RunAsync(world.Client, "offer", new JsonObject { ["customer"] = "c-42", ["new_name"] = "Jane Miller" });

        Assert.Equal("succeeded", (string?)ended["status"]);
        var letter = Assert.Single((await world.Receiver.CountAsync("letter")).Lines);
        Assert.Equal("Dear Jane Miller, 36 months at 5.2 %.", (string?)letter["body"]!["text"]);
        Assert.Equal(2, world.Model.CountOf("Terms"));
        Assert.Equal(StepOfTheChange - 2, (await world.Receiver.CountAsync("work")).Requests); // Every step between, once.
        Assert.Equal(0, (await world.Receiver.CountAsync("revoke")).Requests);

        var execution = (string)ended["id"]!;
        var rolledBack = ended["steps"]!.AsArray().Where(step => (string?)step!["status"] == "rolled_back").Select(step => (string)step!["step"]!).Order();
        Assert.Equal(["letter", "terms"], rolledBack);
        await AssertRootCauseAsync(world, execution);
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    private static async Task AssertRootCauseAsync(World world, string execution)
    {
        var failure = (await world.Client.GetAsync($"/v1/failures?execution={execution}"))["items"]!.AsArray().Single()!;
        Assert.Equal("stale_read", (string?)failure["class"]);
        var cause = (await world.Client.GetAsync($"/v1/failures/{failure["id"]}"))["root_cause"]!;
        World.Say((string)cause["explanation"]!);
        Assert.Equal("step_23", (string?)cause["step"]);
        foreach (var part in new[] { "terms read customer/c-42#name as \"Jane Smith\" (version 1)", "step_23", "\"Jane Miller\" (version 2)" })
        {
            Assert.Contains(part, (string)cause["explanation"]!, StringComparison.Ordinal);
        }
    }

    private static string Between() => string.Join('\n', Enumerable.Range(2, StepOfTheChange - 2).Select(number =>
        $"  - {{id: step_{number}, type: tool_call, tool: work, needs: [{(number == 2 ? "terms" : $"step_{number - 1}")}], input: {{number: {number}}}}}"));
}
