using System.Text.Json.Nodes;
using Omium.Api.Tests.Access;
using Omium.Contracts;
using Omium.Contracts.Access;
using Omium.Runtime.Audit;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Api.Tests.Audit;

public sealed class AuditTests : IAsyncLifetime
{
    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync(options => options.SignUpBeat = TimeSpan.FromMilliseconds(1));

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Keys_MadeRotatedRevoked_StandInTheTrailWithWhoAndFromWhere()
    {
        var key = await _host.PostAsync("/v1/keys", """{"name": "ci"}""", ContractJson.Default.KeyView, 201);
        await _host.PostAsync($"/v1/keys/{key.Id}/rotate", "{}", ContractJson.Default.KeyView);
        using var revoked = await _host.Client.DeleteAsync($"/v1/keys/{key.Id}");

        var rows = (await TrailAsync($"subject={key.Id}")).Items;

        Assert.Equal(["key.revoked", "key.rotated", "key.created"], rows.Select(row => row.Action));
        var me = await _host.GetAsync("/v1/me", ContractJson.Default.MeView);
        Assert.All(rows, row => Assert.Equal(me.KeyId, row.Actor));
        Assert.All(rows, row => Assert.Equal("127.0.0.1", Assert.Single(row.Personal).Data!.Value.GetProperty("address").GetString()));
        Assert.DoesNotContain(key.Secret!.Split('_')[^1], await _host.Client.GetStringAsync("/v1/audit"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trail_OfATenantWithAnExecutionThatCannotBeRead_IsReadAndVerifiedAllTheSame()
    {
        var paused = await _host.RunCompanyXAsync();
        var stream = new StreamId("ten_a", "exe_00000000000000000000000bad");
        var damaged = new LogRecord(1, "append_1", 1, 1, "cancel", "execution.cancelled", [.. Enumerable.Repeat((byte)1, 32)], new byte[32], new byte[64]);
        var owed = new IndexRow("ten_a", IndexKinds.Audit, $"{stream.Id}.00000001", stream.Id) { Status = ExecutionAudit.StatusOwed, Label = "execution.cancelled" };
        var asked = new IndexRow("ten_a", IndexKinds.Review, "rev_bad", stream.Id) { Status = "open", CreatedUnixMs = 1 };
        var left = new IndexRow("ten_a", IndexKinds.Residue, $"{stream.Id}.a~1~1~c1", stream.Id) { Status = "open", CreatedUnixMs = 1 };
        var failed = new IndexRow("ten_a", IndexKinds.Failure, $"{stream.Id}.terms.1.1", stream.Id) { Status = "resolved", FailureClass = "hallucination", Workflow = "customer-onboarding", CreatedUnixMs = 1 };
        var written = await _host.Store.Log.AppendAsync(
            new Append(stream, 0, damaged) { StreamKey = _host.KeyWrap.Wrap(Seal.NewKey()), Index = [owed, asked, left, failed] }, TestContext.Current.CancellationToken);
        Assert.Equal(AppendStatus.Appended, written.Status);

        var key = await _host.PostAsync("/v1/keys", """{"name": "ci"}""", ContractJson.Default.KeyView, 201);
        Assert.Equal("key.created", Assert.Single((await TrailAsync($"subject={key.Id}")).Items).Action);
        Assert.Equal("intact", (await _host.GetAsync("/v1/audit/verify", ContractJson.Default.AuditVerifyView)).Status);

        // Nor does it take the lists with it that people work by.
        Assert.Equal(paused.OpenReviews, (await _host.GetAsync("/v1/reviews", ContractJson.Default.ReviewPage)).Items.Select(item => item.Id));
        Assert.Empty((await _host.GetAsync("/v1/residue", ContractJson.Default.ResiduePage)).Items);
        Assert.Contains(paused.Id, await _host.Client.GetStringAsync("/v1/failures/export", TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal("execution_set_aside", (await _host.FailAsync(HttpMethod.Get, $"/v1/executions/{stream.Id}", 503)).Code);
    }

    [Fact]
    public async Task People_SignedInInvitedAndChanged_StandInTheTrail()
    {
        using var ada = await People.SignUpAsync(_host, "ada@example.org");
        using var bob = await People.JoinAsync(_host, ada, "bob@example.org", "viewer");
        using var changed = await ada.Client.PutAsync($"/v1/members/{bob.Session.User}", People.Body(new { role = "operator" }));
        using var removed = await ada.Client.DeleteAsync($"/v1/members/{bob.Session.User}");

        var rows = (await ApiHost.GetAsync(ada.Client, "/v1/audit", ContractJson.Default.AuditPage)).Items.Reverse().ToArray();

        Assert.Equal(
            ["tenant.created", "member.joined", "session.signed_in", "member.invited", "member.joined", "session.signed_in", "member.role_changed", "member.removed"],
            rows.Select(row => row.Action));
        Assert.Contains(rows[3].Personal, part => part.Data?.TryGetProperty("email", out var email) == true && email.GetString() == "bob@example.org");
        Assert.Equal(("viewer", "operator"), (rows[6].Detail!.Value.GetProperty("from").GetString(), rows[6].Detail!.Value.GetProperty("to").GetString()));
    }

    [Fact]
    public async Task Execution_DecidedEditedAndRolledBack_StandsInTheTrailOnce()
    {
        var paused = await _host.RunCompanyXAsync();
        var review = await _host.GetAsync($"/v1/reviews/{Assert.Single(paused.OpenReviews)}", ContractJson.Default.ReviewView);
        await _host.PostAsync(
            $"/v1/reviews/{review.Id}/decide",
            new JsonObject { ["decision"] = "edit", ["digest"] = review.Digest, ["edits"] = new JsonObject { ["prompt"] = "The APR must be between 2.5 and 8.5, never 0." } }.ToJsonString(),
            ContractJson.Default.ReviewView);

        var rows = (await TrailAsync($"subject={paused.Id}")).Items;

        var decided = Assert.Single(rows, row => row.Action == "review.decided");
        Assert.Equal((review.Id, "edit"), (decided.Detail!.Value.GetProperty("review").GetString(), decided.Detail.Value.GetProperty("decision").GetString()));
        Assert.Equal("127.0.0.1", Assert.Single(decided.Personal).Data!.Value.GetProperty("address").GetString());
        Assert.Equal("omium", Assert.Single(rows, row => row.Action == "execution.rolled_back").Actor);
        Assert.DoesNotContain("The APR must", await _host.Client.GetStringAsync("/v1/audit"), StringComparison.Ordinal);
        Assert.Equal(rows.Count, (await TrailAsync($"subject={paused.Id}")).Items.Count);
        Assert.Equal("intact", (await _host.GetAsync("/v1/audit/verify", ContractJson.Default.AuditVerifyView)).Status);
        var verified = await _host.GetAsync($"/v1/executions/{paused.Id}/verify", ContractJson.Default.VerifyView);
        Assert.Equal("identical", verified.Verdict);
    }

    [Fact]
    public async Task List_PageByPage_HasEveryRowOnceNewestFirst()
    {
        for (var key = 0; key < 7; key++)
        {
            await _host.PostAsync("/v1/keys", $$"""{"name": "k{{key}}"}""", ContractJson.Default.KeyView, 201);
        }

        var seqs = new List<long>();
        string? cursor = null;
        do
        {
            var page = await TrailAsync($"limit=3&action=key.{(cursor is null ? "" : $"&cursor={cursor}")}");
            seqs.AddRange(page.Items.Select(row => row.Seq));
            cursor = page.NextCursor;
        }
        while (cursor is not null);

        Assert.Equal([8, 7, 6, 5, 4, 3, 2, 1], seqs);
        Assert.Empty((await TrailAsync("from=2100-01-01T00:00:00Z")).Items);
        await _host.FailAsync(HttpMethod.Get, "/v1/audit?cursor=x", 422);
    }

    [Fact]
    public async Task Export_AsLines_ProvesItselfAndShowsEveryChange()
    {
        foreach (var name in new[] { "one", "two", "three" })
        {
            await _host.PostAsync("/v1/keys", $$"""{"name": "{{name}}"}""", ContractJson.Default.KeyView, 201);
        }

        var lines = (await _host.Client.GetStringAsync("/v1/audit/export")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Null(ProblemOf(lines, out var rows, out var head));
        Assert.Equal((lines.Length, (await _host.GetAsync("/v1/audit/verify", ContractJson.Default.AuditVerifyView)).Head), (rows, head));

        Assert.NotNull(ProblemOf([.. lines[..1], .. lines[2..]]));
        Assert.NotNull(ProblemOf([lines[0], lines[2], lines[1], .. lines[3..]]));
        Assert.NotNull(ProblemOf([lines[0], lines[1].Replace("\"one\"", "\"won\"", StringComparison.Ordinal), .. lines[2..]]));
        Assert.NotNull(ProblemOf([lines[0], lines[1].Replace("127.0.0.1", "127.0.0.2", StringComparison.Ordinal), .. lines[2..]]));
        Assert.NotNull(ProblemOf([lines[0], lines[1].Replace("key.created", "key.revoked", StringComparison.Ordinal), .. lines[2..]]));
        Assert.NotNull(ProblemOf([lines[0], lines[1], lines[1], .. lines[2..]]));
        Assert.NotNull(ProblemOf(["{}"]));
    }

    [Fact]
    public async Task Export_AsCsv_HoldsNoFormula()
    {
        await _host.PostAsync("/v1/keys", """{"name": "=HYPERLINK(\"http://evil.example\")"}""", ContractJson.Default.KeyView, 201);
        var csv = await _host.Client.GetStringAsync("/v1/audit/export?format=csv");
        Assert.Contains("\"\"=HYPERLINK", csv, StringComparison.Ordinal);
        Assert.DoesNotContain(csv.Split("\r\n").SelectMany(line => line.Split("\",\"")), cell => cell.TrimStart('"') is ['=' or '+' or '-' or '@', ..]);
    }

    private static string? ProblemOf(string[] lines) => ProblemOf(lines, out _, out _);

    private static string? ProblemOf(string[] lines, out long rows, out string head)
    {
        var checker = new AuditChecker();
        var problem = lines.Select(checker.Check).FirstOrDefault(problem => problem is not null);
        (rows, head) = (checker.Rows, checker.Head);
        return problem;
    }

    private Task<Page<AuditRowView>> TrailAsync(string query) => _host.GetAsync($"/v1/audit?{query}", ContractJson.Default.AuditPage);
}
