using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Omium.Azure.Pump;
using Omium.Azure.Storage;
using Omium.Conformance.Azure;
using Omium.Conformance.Storage;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Conformance.Engine;

public sealed class MemoryEngineTests() : EngineConformance(MemoryBackend.Open);

public sealed class SqliteEngineTests() : EngineConformance(SqliteBackend.Open);

public sealed class AzuriteEngineTests() : EngineConformance(AzuriteBackend.Open);

public sealed class AzuriteFaultyEngineTests() : EngineConformance(FaultyBackend.Open)
{
    protected override bool IsFaulty => true;
}

/// <summary>The pump's activities and the sweeper, on a stand-in for Durable Functions that loses events and runs activities twice.</summary>
public sealed class AzuritePumpTests() : EngineConformance(AzuriteBackend.Open, BeginPumpAsync)
{
    protected override string CallTimeout => "2s";

    private static async Task<(IExecutionEngine Engine, Func<ValueTask> Stop)> BeginPumpAsync(EngineLife life, StorageBackend storage, bool isAlone)
    {
        var pumps = new StandInPumps();
        var maintenance = ((AzureStore)storage.Store!).Maintenance;
        var sweeper = new Sweeper(maintenance, storage.Index, life.Advancer, pumps, NullLogger<Sweeper>.Instance);
        pumps.Add(new PumpActivities(life.Advancer, life.Runner, pumps));
        var stopping = new CancellationTokenSource();
        var sweeping = Task.Run(async () =>
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
            do
            {
                await sweeper.RunAsync(stopping.Token);
            }
            while (await timer.WaitForNextTickAsync(stopping.Token));
        });
        var engine = new PumpEngine(life.Advancer, life.Runner, pumps, NullLogger<PumpEngine>.Instance);
        return (engine, async () =>
        {
            await stopping.CancelAsync();
            await pumps.DisposeAsync();
            await sweeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stopping.Dispose();
        });
    }
}

/// <summary>What an engine must do on every store: the same events, the same end, and each effect outside once.</summary>
public abstract partial class EngineConformance(Func<StorageBackend> open, EngineLife.MakeEngine? make = null) : IAsyncLifetime
{
    private string Tools => $$$"""
        omium: v0
        name: suite
        tools:
          work: {type: function, function: work, effect: {kind: none}}
          pay: {type: function, function: pay, timeout: {{{CallTimeout}}}, effect: {kind: idempotent, compensate: refund}}
          mail: {type: function, function: mail, timeout: {{{CallTimeout}}}, effect: {kind: irreversible}}
          refund: {type: function, function: refund, effect: {kind: idempotent}}

        """;

    /// <summary>An engine that is not alone waits so long before it takes up a call whose runner is gone.</summary>
    protected virtual string CallTimeout => "30s";

    private readonly StorageBackend storage = open();
    private readonly byte[] masterKey = Seal.NewKey();
    private readonly OutsideWorld world = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await storage.Close();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Run_FivePlainSteps_TakesSixAppendsAndVerifies()
    {
        await using var life = await BeginAsync();
        var stream = await life.StartAsync(
            Tools + """
            steps:
              - {id: a, type: tool_call, tool: work, input: {n: 1}}
              - {id: b, type: tool_call, tool: work, needs: [a], input: {n: 2}}
              - {id: c, type: tool_call, tool: work, needs: [b], input: {n: 3}}
              - {id: d, type: tool_call, tool: work, needs: [c], input: {n: 4}}
              - {id: e, type: tool_call, tool: work, needs: [d], input: {n: 5}}
            """,
            "exe_five");

        Assert.Equal(ExecutionStatus.Succeeded, (await life.EndAsync(stream)).Status);
        var events = await life.EventsAsync(stream);
        const string Next = "step.scheduled call.requested", Done = "step.committed checkpoint.committed";
        Assert.Equal([$"execution.started {Next}", .. Enumerable.Repeat($"{Done} {Next}", 4), $"{Done} execution.succeeded"], events);
        Assert.Equal(VerifyVerdict.Identical, (await life.Verifier.VerifyAsync(stream))!.Verdict);
        await life.IndexedAsync(stream, "succeeded");
    }

    [Fact]
    public async Task Run_DiesWhileAnIdempotentCallIsOut_RepeatsItWithTheSameKey()
    {
        var stream = await DieInsideAsync("pay");
        await using var second = await BeginAsync();

        Assert.Equal(ExecutionStatus.Succeeded, (await second.EndAsync(stream)).Status);
        Assert.Equal(2, world.Calls.Count(call => call.Tool == "pay"));
        Assert.Equal(1, world.Distinct("pay"));
        Assert.Equal(VerifyVerdict.Identical, (await second.Verifier.VerifyAsync(stream))!.Verdict);
    }

    [Fact]
    public async Task Run_DiesWhileAnIrreversibleCallIsOut_AsksAPersonAndNeverCallsAgain()
    {
        var stream = await DieInsideAsync("mail");
        await using var second = await BeginAsync();

        var state = await second.WaitAsync(stream, waiting => Open(waiting).Any(review => review.Kind == "in_doubt"));
        var review = Open(state).First(candidate => candidate.Kind == "in_doubt");
        var decided = await second.SubmitAsync(stream, Decision(second, review, "done") with { Output = EngineLife.Json("""{"sent": true}""") });
        Assert.Null(decided.Rejection);

        Assert.Equal(ExecutionStatus.Succeeded, (await second.EndAsync(stream)).Status);
        Assert.Single(world.Calls, call => call.Tool == "mail");
    }

    [Fact]
    public async Task Run_TwoEnginesOnOneStore_MakeEachEffectOnce()
    {
        await using var one = await BeginAsync(isAlone: false);
        await using var two = await BeginAsync(isAlone: false);
        var streams = new List<StreamId>();
        for (var number = 0; number < 4; number++)
        {
            streams.Add(await (number % 2 == 0 ? one : two).StartAsync(Tools + """
                steps:
                  - {id: ask, type: human_approval}
                  - {id: first, type: tool_call, tool: pay, needs: [ask], input: {n: 1}}
                  - {id: last, type: tool_call, tool: pay, needs: [first], input: {n: 2}}
                """, $"exe_{number}"));
        }

        // Both are told at the same time; one decision counts, and both engines take up what follows.
        foreach (var stream in streams)
        {
            var state = await one.WaitAsync(stream, waiting => waiting.OpenReviews.Count > 0);
            var review = Open(state).First();
            await Task.WhenAll(one.SubmitAsync(stream, Decision(one, review, "approve")), two.SubmitAsync(stream, Decision(two, review, "approve")));
        }

        foreach (var stream in streams)
        {
            Assert.Equal(ExecutionStatus.Succeeded, (await one.EndAsync(stream)).Status);
            Assert.Equal(VerifyVerdict.Identical, (await two.Verifier.VerifyAsync(stream))!.Verdict);
        }

        Assert.Equal(8, world.Distinct("pay"));
        Assert.Equal(8, world.Calls.Count);
    }

    [Fact]
    public async Task Run_LaterStepFails_CompensatesWhatWentBeforeOnceAndInReverse()
    {
        world.Answer = (request, _) => Task.FromResult(request.Tool.Name == "work"
            ? new EffectOutcome { Failure = new("tool_error", "broken", "It broke.", Permanent: true) }
            : new EffectOutcome { Result = request.Arguments });
        await using var life = await BeginAsync();
        var stream = await life.StartAsync(
            Tools + """
            recovery: {rules: [{on: [tool_error], do: [{rollback_to: start}], limit: 1}, {on: [tool_error], do: [pause]}]}
            steps:
              - {id: start, type: decision, checkpoint: start, input: {n: 0}}
              - {id: one, type: tool_call, tool: pay, needs: [start], input: {n: 1}}
              - {id: two, type: tool_call, tool: pay, needs: [one], input: {n: 2}}
              - {id: three, type: tool_call, tool: work, needs: [two], input: {n: 3}}
            """, "exe_back");

        var state = await life.WaitAsync(stream, reached => reached.Ended || reached.Status == ExecutionStatus.Paused);
        Assert.True(state.Status == ExecutionStatus.Paused, await life.StoryAsync(stream));
        Assert.Equal("pay pay work refund refund pay pay work", string.Join(' ', world.Calls.DistinctBy(call => (call.Tool, call.Key)).Select(call => call.Tool)));
        Assert.Equal("2 1", string.Join(' ', world.Calls.Where(call => call.Tool == "refund").DistinctBy(call => call.Key).Select(call => NumberIn(call.Arguments))));
    }

    [Fact]
    public async Task Run_LargeValues_AreKeptByReferenceAndReadWhole()
    {
        var text = new string('x', 300_000);
        await using var life = await BeginAsync();
        var stream = await life.StartAsync(
            Tools + """
            input: {schema: {type: object}}
            steps:
              - {id: a, type: tool_call, tool: work, input: "${{ input }}"}
              - {id: b, type: tool_call, tool: work, needs: [a], input: {n: 1}}
            """, "exe_large", JsonSerializer.Serialize(new { text }));

        Assert.Equal(ExecutionStatus.Succeeded, (await life.EndAsync(stream)).Status);
        Assert.Equal(text, world.Calls.First().Arguments.GetProperty("text").GetString());
        Assert.All(await storage.Log.ReadAsync(stream, 0, 10), record => Assert.InRange(record.Body.Length, 1, 20_000));
        Assert.Equal(VerifyVerdict.Identical, (await life.Verifier.VerifyAsync(stream))!.Verdict);
    }

    [Fact]
    public async Task Run_ItemsAndLocks_RunAllAndNeverTwoUnderOneLock()
    {
        int inside = 0, most = 0;
        world.Answer = async (request, cancellation) =>
        {
            if (request.Tool.Name == "pay")
            {
                most = Math.Max(most, Interlocked.Increment(ref inside));
                await Task.Delay(5, cancellation);
                Interlocked.Decrement(ref inside);
            }

            return new EffectOutcome { Result = request.Arguments };
        };
        await using var life = await BeginAsync();
        var streams = new List<StreamId>();
        for (var number = 0; number < 3; number++)
        {
            streams.Add(await life.StartAsync(Tools + """
                steps:
                  - {id: each, type: tool_call, tool: work, input: {n: "${{ item }}"}, for_each: {items: "[1, 2, 3, 4, 5, 6]", max_parallel: 3}}
                  - {id: held, type: tool_call, tool: pay, needs: [each], input: {n: 1}, locks: ["customer/42"]}
                """, $"exe_lock_{number}"));
        }

        foreach (var stream in streams)
        {
            Assert.Equal(ExecutionStatus.Succeeded, (await life.EndAsync(stream)).Status);
        }

        Assert.Equal((3 * 6, 3, 1), (world.Distinct("work"), world.Distinct("pay"), most));
    }

    private Task<EngineLife> BeginAsync(bool isAlone = true) => EngineLife.BeginAsync(storage, masterKey, world, make ?? EngineLife.EmbeddedAsync, isAlone && make is null);

    /// <summary>A run whose engine dies after a call has taken effect outside and before its result is recorded.</summary>
    private async Task<StreamId> DieInsideAsync(string tool)
    {
        var arrived = new TaskCompletionSource();
        world.Answer = async (_, cancellation) =>
        {
            arrived.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellation);
            return new EffectOutcome();
        };
        StreamId stream;
        await using (var first = await BeginAsync())
        {
            stream = await first.StartAsync(Tools + $$$"""
                steps:
                  - {id: ask, type: human_approval}
                  - {id: act, type: tool_call, tool: {{{tool}}}, needs: [ask], input: {n: 1}}
                  - {id: after, type: tool_call, tool: work, needs: [act], input: {n: 2}}
                """, "exe_dies");
            var state = await first.WaitAsync(stream, waiting => waiting.OpenReviews.Count > 0);
            await first.SubmitAsync(stream, Decision(first, Open(state).First(), "approve"));
            await arrived.Task.WaitAsync(TimeSpan.FromSeconds(30));
        }

        world.Answer = (request, _) => Task.FromResult(new EffectOutcome { Result = request.Arguments });
        return stream;
    }

    private static IEnumerable<ReviewRequested> Open(ExecutionState state) => state.OpenReviews.Select(id => state.Reviews[id].Request);

    private static DecideReview Decision(EngineLife life, ReviewRequested review, string decision) =>
        new(life.Advancer.NowMs, review.Review, decision, review.Digest, "ada", null, null, null, null);

    private static string NumberIn(JsonElement arguments)
    {
        var text = arguments.GetRawText();
        var at = text.IndexOf("\"n\":", StringComparison.Ordinal);
        return at < 0 ? text : text.Substring(at + 4, 1);
    }
}
