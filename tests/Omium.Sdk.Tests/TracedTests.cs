using System.Text.Json;
using Omium.Contracts.Executions;
using Omium.Contracts.Reviews;

namespace Omium.Sdk.Tests;

/// <summary>Programs as traced executions, against a real server: what is recorded answers, what breaks its checks is refused, what is taken back is undone and runs again.</summary>
public sealed class TracedTests(DevServer server) : IClassFixture<DevServer>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Checkpoint_ProgramFailsAndIsStartedAgain_RunsOnceAndKeepsItsType()
    {
        using var omium = server.Client();
        var (runs, isBroken) = (0, true);
        async Task<Score> ProgramAsync(TracedExecution execution, CancellationToken token)
        {
            var score = await execution.CheckpointAsync("scored", _ => { runs++; return Task.FromResult(new Score("ada", 750)); }, new StepOptions { Input = new { customer = 42 } }, token);
            return isBroken ? throw new InvalidOperationException("the disk is full") : score;
        }

        var run = new RunOptions { ExecutionId = Some("again") };
        await Assert.ThrowsAsync<InvalidOperationException>(() => omium.RunAsync("scoring", ProgramAsync, run, Cancellation));
        isBroken = false;
        Assert.Equal(new Score("ada", 750), await omium.RunAsync("scoring", ProgramAsync, run, Cancellation));
        Assert.Equal(new Score("ada", 750), await omium.RunAsync<Score>("scoring", (_, _) => throw new InvalidOperationException("nothing runs"), run, Cancellation));
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task Checkpoint_SameNameAgain_IsTheNextOne_AndTwoAtOnceNeedKeys()
    {
        using var omium = server.Client();
        var sum = await omium.RunAsync("loop", async (execution, token) =>
        {
            var total = 0;
            foreach (var number in Enumerable.Range(1, 3))
            {
                total += await execution.CheckpointAsync("add", _ => Task.FromResult(number), cancellation: token);
            }

            var held = new TaskCompletionSource<int>();
            var first = execution.CheckpointAsync("slow", _ => held.Task, cancellation: token);
            var refused = await Assert.ThrowsAsync<OmiumException>(() => execution.CheckpointAsync("slow", _ => Task.FromResult(1), cancellation: token));
            Assert.Equal("key_needed", refused.Code);
            held.SetResult(0);
            return total + await first;
        }, Fresh(), Cancellation);
        Assert.Equal(6, sum);
    }

    [Fact]
    public async Task Checkpoint_OutputBreaksItsChecks_IsRefusedAndNotCommitted()
    {
        using var omium = server.Client();
        await omium.RunAsync("checked", async (execution, token) =>
        {
            var bounded = await Assert.ThrowsAsync<StepFailedException>(() => execution.CheckpointAsync(
                "score", _ => Task.FromResult(900), new StepOptions { Constraints = Constraints.Between(300, 850) }, token));
            Assert.Equal("guard_failed", bounded.Failure.Class);
            var shaped = await Assert.ThrowsAsync<StepFailedException>(() => execution.CheckpointAsync(
                "shape", _ => Task.FromResult(new { other = 1 }), new StepOptions { Schema = Schema.Of<Score>() }, token));
            Assert.Equal("schema_violation", shaped.Failure.Class);
            var said = await Assert.ThrowsAsync<StepFailedException>(() => execution.CheckpointAsync(
                "said", _ => Task.FromResult("no"), new StepOptions { Constraints = Constraints.That("output == 'yes'") }, token));
            Assert.Equal("guard_failed", said.Failure.Class);
            return 0;
        }, Fresh(), Cancellation);
    }

    [Fact]
    public async Task Checkpoint_AnotherInputThanRecorded_IsNotDeterministic()
    {
        using var omium = server.Client();
        var run = new RunOptions { ExecutionId = Some("mismatch") };
        Task<int> Program(TracedExecution execution, int input, bool fails, CancellationToken token) =>
            fails ? FailAfterAsync(execution, input, token) : execution.CheckpointAsync("read", _ => Task.FromResult(1), new StepOptions { Input = input }, token);

        await Assert.ThrowsAsync<TimeoutException>(() => omium.RunAsync("inputs", (execution, token) => Program(execution, 1, true, token), run, Cancellation));
        var mismatch = await Assert.ThrowsAsync<ReplayMismatchException>(() => omium.RunAsync("inputs", (execution, token) => Program(execution, 2, false, token), run, Cancellation));
        Assert.Contains("read", mismatch.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Transaction_TakenBackByAPerson_IsUndoneWithItsOutput_AndRunsAgain()
    {
        var undone = new List<string>();
        var compensations = new Compensations().Add("refund", (undo, _) =>
        {
            undone.Add($"{undo.Name} {undo.OutputAs<string>()} {undo.IdempotencyKey[^5..]}");
            return Task.CompletedTask;
        });
        using var omium = server.Client(compensations, options => options.WaitForPerson = null);
        var (keys, resumed) = (new List<string>(), Task.CompletedTask);
        var took = await omium.RunAsync("refunds", async (execution, token) =>
        {
            await execution.CheckpointAsync("order", _ => Task.FromResult(1), cancellation: token);
            var receipt = await execution.TransactionAsync(
                "pay", (transaction, _) => { keys.Add(transaction.IdempotencyKey); return Task.FromResult($"receipt-{keys.Count}"); },
                new TransactionOptions<string> { Effect = EffectKind.Idempotent, Compensate = "refund" }, token);
            if (keys.Count == 1)
            {
                await omium.RollBackAsync(execution.Id, new RollbackRequest("order", "all"), token);
                resumed = ResumeWhenPausedAsync(omium, execution.Id, token); // The person goes on once everything is taken back, which takes this program.
            }

            await execution.CheckpointAsync("ship", _ => Task.FromResult(receipt), cancellation: token);
            return receipt;
        }, Fresh(), Cancellation);
        await resumed;
        Assert.Equal("receipt-2", took);
        Assert.Equal(["pay receipt-1 -undo"], undone);
        Assert.Equal(2, keys.Distinct().Count());
    }

    [Fact]
    public async Task Rollback_AndResume_BetweenTwoRequests_BeginsAnew()
    {
        using var omium = server.Client();
        var (quotes, books) = (0, 0);
        var price = await omium.RunAsync("between", async (execution, token) =>
        {
            var quoted = await execution.CheckpointAsync("quote", _ => Task.FromResult(++quotes), cancellation: token);
            if (quotes == 1)
            {
                await omium.RollBackAsync(execution.Id, new RollbackRequest("start", "all"), token);
                await ResumeWhenPausedAsync(omium, execution.Id, token);
            }

            await execution.CheckpointAsync("book", _ => Task.FromResult(++books), cancellation: token);
            return quoted;
        }, Fresh(), Cancellation);
        Assert.Equal((2, 2, 1), (price, quotes, books));
    }

    [Fact]
    public async Task Transaction_NeedsApproval_WaitsForAPerson_AndGoesOnWhenDecided()
    {
        using var omium = server.Client();
        var paid = 0;
        Task<int> ProgramAsync(TracedExecution execution, CancellationToken token) => execution.TransactionAsync(
            "wire", (_, _) => Task.FromResult(++paid), new TransactionOptions<int> { Approval = true }, token);

        var run = new RunOptions { ExecutionId = Some("approval") };
        var waits = await Assert.ThrowsAsync<NeedsPersonException>(() => omium.RunAsync("wires", ProgramAsync, run, Cancellation));
        Assert.Equal(0, paid);
        var review = await omium.GetReviewAsync(waits.Review!, Cancellation);
        await omium.DecideAsync(review.Id, new DecideReviewRequest("approve", review.Digest), Cancellation);
        Assert.Equal(1, await omium.RunAsync("wires", ProgramAsync, run, Cancellation));
    }

    [Fact]
    public async Task Transaction_InDoubtAndVerifiable_IsLookedUp()
    {
        using var omium = server.Client();
        var (calls, lookups) = (0, 0);
        Task<string> ProgramAsync(TracedExecution execution, CancellationToken token) => execution.TransactionAsync<string>(
            "book", (_, _) => { calls++; throw new IOException("the line is dead"); },
            new TransactionOptions<string> { Verify = (_, _) => { lookups++; return Task.FromResult(Verification.Done("seat 12A")); } }, token);

        var run = new RunOptions { ExecutionId = Some("verify") };
        string? seat = null;
        for (var start = 0; start < 3 && seat is null; start++)
        {
            try
            {
                seat = await omium.RunAsync("seats", ProgramAsync, run, Cancellation);
            }
            catch (IOException)
            {
                // The program fails with what its code threw; started again, it finds out.
            }
        }

        Assert.Equal(("seat 12A", 1, 1), (seat, calls, lookups));
    }

    [Fact]
    public async Task Consensus_MessagesAreHeldToWhatBothAsk_AndDisputesHalt()
    {
        using var omium = server.Client();
        var run = new RunOptions { ExecutionId = Some("consensus") };
        var disputed = await Assert.ThrowsAnyAsync<OmiumException>(() => omium.RunAsync("team", async (execution, token) =>
        {
            var told = await execution.Consensus.BroadcastAsync("scorer", new Score("ada", 750), new MessageOptions { Schema = Schema.Of<Score>(), Constraints = Constraints.Between(300, 850) }, token);
            Assert.Equal(told, await execution.As("terms").Consensus.ReceiveAsync<Score>("scorer", new MessageOptions { Schema = Schema.Of<Score>() }, token));
            await Assert.ThrowsAsync<StepFailedException>(() => execution.Consensus.BroadcastAsync("scorer", 9, new MessageOptions { Constraints = Constraints.Between(300, 850) }, token));
            await execution.Handoff("extractor", "loader").SendAsync(new[] { 1, 2 }, new MessageOptions { Claims = new Dictionary<string, object> { ["records"] = 100 } }, token);
            await execution.As("loader").Handoff("extractor").ReceiveAsync<int[]>(new MessageOptions { Seen = new Dictionary<string, object> { ["records"] = 2 } }, token);
            return 0;
        }, run, Cancellation));
        Assert.True(disputed is NeedsPersonException or StepFailedException { Failure.Class: "handoff_disputed" }, disputed.ToString());
    }

    [Fact]
    public async Task Agent_Class_RunsInItsName()
    {
        using var omium = server.Client();
        Assert.Equal(751, await omium.RunAsync(new Scorer(), new Score("ada", 750), Fresh(), Cancellation));
    }

    [Fact]
    public async Task Mistakes_AreOneLineThatSaysWhatToDo()
    {
        using var wrongKey = server.Client(more: options => options.ApiKey = "omk_local_wrong");
        Assert.Contains("OMIUM_API_KEY", (await Assert.ThrowsAsync<NotAllowedException>(() => wrongKey.StartWorkflowAsync("x", cancellation: Cancellation))).Message, StringComparison.Ordinal);
        using var nobody = server.Client(more: options => options.BaseUrl = new Uri("http://127.0.0.1:1"));
        Assert.Contains("omium dev", (await Assert.ThrowsAsync<ServerUnreachableException>(() => nobody.StartWorkflowAsync("x", cancellation: Cancellation))).Message, StringComparison.Ordinal);
        using var omium = server.Client();
        var missing = await Assert.ThrowsAsync<ApiException>(() => omium.StartWorkflowAsync("no-such-workflow", cancellation: Cancellation));
        Assert.Equal(("workflow_not_found", 404), (missing.Code, missing.Status));
        await omium.RunAsync("values", async (execution, token) =>
        {
            var loop = new Node();
            loop.Next = loop;
            Assert.Contains("the result of loop", (await Assert.ThrowsAsync<NotSerializableException>(() => execution.CheckpointAsync("loop", _ => Task.FromResult(loop), cancellation: token))).Message, StringComparison.Ordinal);
            Assert.Equal("invalid_name", (await Assert.ThrowsAsync<OmiumException>(() => execution.CheckpointAsync("a/b", _ => Task.FromResult(1), cancellation: token))).Code);
            return 0;
        }, Fresh(), Cancellation);
    }

    private static async Task<int> FailAfterAsync(TracedExecution execution, int input, CancellationToken token)
    {
        await execution.CheckpointAsync("read", _ => Task.FromResult(1), new StepOptions { Input = input }, token);
        throw new TimeoutException();
    }

    private async Task ResumeWhenPausedAsync(OmiumClient omium, string execution, CancellationToken token)
    {
        while ((await omium.GetExecutionAsync(execution, token)).Status == "rolling_back")
        {
            await Task.Delay(50, token);
        }

        using var http = new HttpClient { BaseAddress = server.Url };
        http.DefaultRequestHeaders.Authorization = new("Bearer", server.Key);
        using var answer = await http.PostAsync($"v1/executions/{execution}/resume", null, token);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(token));
    }

    private static RunOptions Fresh() => new() { ExecutionId = Some("run") };

    private static string Some(string name) => $"{name}-{Guid.NewGuid():N}";

    private sealed record Score(string Customer, int Points);

    private sealed class Node
    {
        public Node? Next { get; set; }
    }

    private sealed class Scorer : Agent<Score, int>
    {
        public override async Task<int> RunAsync(TracedExecution execution, Score input, CancellationToken cancellation)
        {
            Assert.Equal("Scorer", execution.Agent);
            return await execution.CheckpointAsync("improved", _ => Task.FromResult(input.Points + 1), cancellation: cancellation);
        }
    }
}
