using System.Net;
using Omium.EndToEnd.Harness;

namespace Omium.EndToEnd.Stories;

/// <summary>S18: two people, each with a key of their own, decide the same question at the same time.</summary>
public sealed class S18TwoPeopleDecideTests
{
    /// <summary>Runs of a race, so that both orders of arrival have their chance.</summary>
    private const int Races = 10;

    [Fact]
    public async Task S18_TwoApprovalsAtOnce_HaveOneEffect()
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Payments.Irreversible(world.Receiver.Address));
        var ((ada, adasKey), (bob, bobsKey)) = (await PersonAsync(world, "ada"), await PersonAsync(world, "bob"));
        var firsts = new List<string>();
        for (var race = 1; race <= Races; race++)
        {
            var execution = await Payments.StartAsync(world.Client, $"inv-{race}");
            var review = await Payments.ReviewAsync(world.Client, execution, "approval");

            var replies = await Task.WhenAll(Payments.DecideAsync(ada, review, "approve"), Payments.DecideAsync(bob, review, "approve"));
            await world.Client.WaitForStatusAsync(execution, "succeeded");

            var (first, second) = replies[0].Status == HttpStatusCode.OK ? (adasKey, bobsKey) : (bobsKey, adasKey);
            firsts.Add(first == adasKey ? "ada" : "bob");
            Assert.Single(replies, reply => reply.Status == HttpStatusCode.OK);
            Assert.Single(replies, reply => reply.Status == HttpStatusCode.Conflict).ExpectProblem(HttpStatusCode.Conflict, "review_closed");
            await AssertOnRecordAsync(world, execution, ("approve", first), ("approve", second));
            var paid = await world.Receiver.CountAsync(Payments.Pay);
            Assert.Equal((race, race), (paid.Effects, paid.Requests));
        }

        World.Say($"first: {string.Join(' ', firsts)}");
        ada.Dispose();
        bob.Dispose();
    }

    [Fact]
    public async Task S18_OnePersonSendsItManyTimes_IsOneDecisionAndOneEffect()
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Payments.Irreversible(world.Receiver.Address));
        var execution = await Payments.StartAsync(world.Client);
        var review = await Payments.ReviewAsync(world.Client, execution, "approval");

        var replies = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Payments.DecideAsync(world.Client, review, "approve")));
        await world.Client.WaitForStatusAsync(execution, "succeeded");

        Assert.All(replies, reply => Assert.Equal(HttpStatusCode.OK, reply.Status));
        var records = await world.Client.RecordsAsync(execution);
        Assert.Single(records.Events("review.decided"));
        Assert.Empty(records.Events("review.refused"));
        var paid = await world.Receiver.CountAsync(Payments.Pay);
        Assert.Equal((1, 1), (paid.Effects, paid.Requests));
    }

    [Fact]
    public async Task S18_ContradictingAnswersAtOnce_TheSecondIsRefusedAndOnRecord()
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Payments.Irreversible(world.Receiver.Address));
        var ((ada, adasKey), (bob, bobsKey)) = (await PersonAsync(world, "ada"), await PersonAsync(world, "bob"));
        var approved = 0;
        for (var race = 1; race <= Races; race++)
        {
            var execution = await Payments.StartAsync(world.Client, $"inv-{race}");
            var review = await Payments.ReviewAsync(world.Client, execution, "approval");

            var replies = await Task.WhenAll(Payments.DecideAsync(ada, review, "approve"), Payments.DecideAsync(bob, review, "reject"));
            var isApproved = replies[0].Status == HttpStatusCode.OK;
            approved += isApproved ? 1 : 0;
            await world.Client.WaitForStatusAsync(execution, isApproved ? "succeeded" : "failed");

            replies[isApproved ? 0 : 1].Expect(HttpStatusCode.OK);
            replies[isApproved ? 1 : 0].ExpectProblem(HttpStatusCode.Conflict, "review_closed");
            var (yes, no) = (("approve", adasKey), ("reject", bobsKey));
            await AssertOnRecordAsync(world, execution, isApproved ? yes : no, isApproved ? no : yes);
            var paid = await world.Receiver.CountAsync(Payments.Pay);
            Assert.Equal((approved, approved), (paid.Effects, paid.Requests));
        }

        World.Say($"{approved} of {Races} were approved first");
        ada.Dispose();
        bob.Dispose();
    }

    /// <summary>The order is given here: what was rejected stays rejected, whoever approves it afterwards and however often, also after a kill.</summary>
    [Fact]
    public async Task S18_ApprovedAfterTheRejection_IsNeverPaid()
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Payments.Irreversible(world.Receiver.Address));
        var (bob, bobsKey) = await PersonAsync(world, "bob");
        var execution = await Payments.StartAsync(world.Client);
        var review = await Payments.ReviewAsync(world.Client, execution, "approval");
        (await Payments.DecideAsync(bob, review, "reject", note: "Not this month.")).Expect(HttpStatusCode.OK);
        await world.Client.WaitForStatusAsync(execution, "failed");

        (await Payments.DecideAsync(world.Client, review, "approve")).ExpectProblem(HttpStatusCode.Conflict, "review_closed");
        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();
        (await Payments.DecideAsync(world.Client, review, "approve")).ExpectProblem(HttpStatusCode.Conflict, "review_closed");

        var records = await world.Client.RecordsAsync(execution);
        Assert.Equal(("reject", bobsKey), ((string?)records.Events("review.decided").Single()["decision"], (string?)records.Events("review.decided").Single()["by"]));
        Assert.Equal(["approve", "approve"], records.Events("review.refused").Select(refused => (string)refused["decision"]!));
        Assert.Equal(0, (await world.Receiver.CountAsync(Payments.Pay)).Requests);
        await Payments.AssertVerifiesAsync(world.Client, execution);
        bob.Dispose();
    }

    /// <summary>Decisions that were made ready: whoever holds the tokens sends both at once, and both again after a kill.</summary>
    [Fact]
    public async Task S18_TwoTokensAtOnceAndAgainAfterAKill_AreOneDecision()
    {
        await using var world = await World.StartAsync();
        await world.Client.SaveAsync(Payments.Irreversible(world.Receiver.Address));
        var ((ada, adasKey), (bob, bobsKey)) = (await PersonAsync(world, "ada"), await PersonAsync(world, "bob"));
        using var anybody = new OmiumClient(world.Omium, key: "none");
        var execution = await Payments.StartAsync(world.Client);
        var review = await Payments.ReviewAsync(world.Client, execution, "approval");
        JsonObject[] tokens = [await TokenAsync(ada, review, "approve"), await TokenAsync(bob, review, "reject")];

        var replies = await Task.WhenAll(tokens.Select(token => anybody.PostAsync("/v1/approvals", token)));
        var isApproved = replies[0].Status == HttpStatusCode.OK;
        replies[isApproved ? 1 : 0].ExpectProblem(HttpStatusCode.Conflict, "review_closed");
        await world.Client.WaitForStatusAsync(execution, isApproved ? "succeeded" : "failed");
        world.Omium.KillHard();
        await world.Omium.StartAgainAsync();
        (await anybody.PostAsync("/v1/approvals", tokens[isApproved ? 0 : 1])).Expect(HttpStatusCode.OK); // The decision that stands.
        (await anybody.PostAsync("/v1/approvals", tokens[isApproved ? 1 : 0])).ExpectProblem(HttpStatusCode.Conflict, "review_closed");

        var decided = Assert.Single((await world.Client.RecordsAsync(execution)).Events("review.decided"));
        Assert.Equal(isApproved ? ("approve", adasKey) : ("reject", bobsKey), ((string)decided["decision"]!, (string)decided["by"]!));
        Assert.Equal(isApproved ? 1 : 0, (await world.Receiver.CountAsync(Payments.Pay)).Requests);
        await Payments.AssertVerifiesAsync(world.Client, execution);
        ada.Dispose();
        bob.Dispose();
    }

    /// <summary>An approval that may be given for a few milliseconds only, and comes later: the step has failed by then, nothing waits for ever.</summary>
    [Fact]
    public async Task S18_ApprovedTooLate_IsRefusedOnRecordAndNeverPaid()
    {
        await using var world = await World.StartAsync();
        var spec = Payments.Irreversible(world.Receiver.Address).Replace("    type: human_approval\n", "    type: human_approval\n    timeout: 5ms\n", StringComparison.Ordinal);
        await world.Client.SaveAsync(spec);
        var execution = await Payments.StartAsync(world.Client);
        var failed = await world.Client.WaitForStatusAsync(execution, "failed");
        Assert.Equal(("timeout", "approval_timeout"), ((string?)failed["failure"]!["class"], (string?)failed["failure"]!["code"]));
        var review = (await world.Client.GetAsync($"/v1/reviews?execution={execution}&status=expired"))["items"]![0]!;
        Assert.Equal("expired", (string?)review["status"]);

        (await Payments.DecideAsync(world.Client, review, "approve")).ExpectProblem(HttpStatusCode.Conflict, "review_expired");

        var records = await world.Client.RecordsAsync(execution);
        Assert.Equal("review_expired", (string?)Assert.Single(records.Events("review.refused"))["code"]);
        Assert.Empty(records.Events("review.decided"));
        Assert.Empty(records.Events("intent.recorded"));
        Assert.Equal(0, (await world.Receiver.CountAsync(Payments.Pay)).Requests);
        Assert.Equal("failed", (string?)(await world.Client.GetAsync($"/v1/executions/{execution}"))["status"]);
        await Payments.AssertVerifiesAsync(world.Client, execution);
    }

    /// <summary>Somebody with a key of their own; the key's id is what decisions are recorded under.</summary>
    private static async Task<(OmiumClient Client, string KeyId)> PersonAsync(World world, string name)
    {
        var key = (await world.Client.PostAsync("/v1/keys", new JsonObject { ["name"] = name })).Expect(HttpStatusCode.Created);
        var client = new OmiumClient(world.Omium, key: (string)key["secret"]!);
        return (client, (string)(await client.GetAsync("/v1/me"))["key_id"]!);
    }

    /// <summary>A decision of somebody, as the body that makes it.</summary>
    private static async Task<JsonObject> TokenAsync(OmiumClient person, JsonNode review, string decision)
    {
        var body = new JsonObject { ["digest"] = (string)review["digest"]!, ["decision"] = decision };
        var issued = (await person.PostAsync($"/v1/reviews/{review["id"]}/approval-tokens", body)).Expect(HttpStatusCode.Created);
        return new JsonObject { ["review_id"] = (string)issued["review_id"]!, ["approval_token"] = (string)issued["approval_token"]! };
    }

    private static async Task AssertOnRecordAsync(World world, string execution, (string Decision, string By) decided, (string Decision, string By) refused)
    {
        var records = await world.Client.RecordsAsync(execution);
        Assert.Equal(decided, Read(Assert.Single(records.Events("review.decided"))));
        var refusal = Assert.Single(records.Events("review.refused"));
        Assert.Equal(refused, Read(refusal));
        Assert.Equal("review_closed", (string?)refusal["code"]);
        await Payments.AssertVerifiesAsync(world.Client, execution);

        static (string, string) Read(JsonNode happened) => ((string)happened["decision"]!, (string)happened["by"]!);
    }
}
