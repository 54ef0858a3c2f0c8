using Microsoft.Extensions.Logging.Abstractions;
using Omium.Azure.Pump;
using Omium.Conformance.Storage;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;
using Omium.Runtime.Workers;

namespace Omium.Conformance.Engine;

/// <summary>Leases of tasks over two hosts of one store, whose clock only the test turns.</summary>
public sealed class SharedTaskTests
{
    private const string Spec = """
        omium: v0
        name: work
        steps:
          - {id: do, type: worker, worker: q, timeout: 1h, retry: {max_attempts: 2, backoff: constant, initial: 1ms, max: 1ms}}
        """;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private readonly TurnedClock clock = new();
    private readonly StorageBackend storage = MemoryBackend.Open();
    private readonly byte[] masterKey = Seal.NewKey();

    [Fact]
    public async Task Offer_SeenByOneHost_IsTakenAtAnotherAndByOneOfThem()
    {
        await using var one = await BeginAsync();
        await using var two = await BeginAsync();
        var stream = await one.Life.StartAsync(Spec, "exe_task");
        await one.Activities.GetPendingAsync(PumpInput.Of(stream), default);

        Assert.Null(two.Board.TryTake(EngineLife.Tenant, ["q"]));
        await two.LookAsync();
        var (mine, theirs) = (one.Board.TryTake(EngineLife.Tenant, ["q"])!, two.Board.TryTake(EngineLife.Tenant, ["q"])!);
        Assert.Equal(mine, theirs);
        var leases = await Task.WhenAll(one.LeaseAsync(mine), two.LeaseAsync(theirs));
        Assert.Single(leases, lease => lease is not null);

        // Neither offers it on, and the announcement goes with the next look.
        await two.LookAsync();
        Assert.Null(one.Board.TryTake(EngineLife.Tenant, ["q"]));
        Assert.Null(two.Board.TryTake(EngineLife.Tenant, ["q"]));
        Assert.Empty(await storage.Documents.ListAsync(EngineLife.Tenant, "worker_offer", "", null, 10));
    }

    [Fact]
    public async Task Lease_KeptByHeartbeatsAtAnotherHost_HoldsAndLapsesWithoutThem()
    {
        await using var one = await BeginAsync();
        await using var two = await BeginAsync();
        var stream = await one.Life.StartAsync(Spec, "exe_beat");
        await one.Activities.GetPendingAsync(PumpInput.Of(stream), default);
        var lease = await one.LeaseAsync(one.Board.TryTake(EngineLife.Tenant, ["q"])!);
        var (effect, run) = (lease!.Effect.ToString(), lease.Call.Runs);
        Assert.Equal(clock.NowMs + 30_000, (await one.Activities.GetPendingAsync(PumpInput.Of(stream), default)).NextDueUnixMs);

        for (var beat = 0; beat < 4; beat++)
        {
            clock.Turn(TimeSpan.FromSeconds(20));
            await two.Board.Shared!.ExtendAsync(stream, effect, run, Lease, default);
            await one.Activities.GetPendingAsync(PumpInput.Of(stream), default);
        }

        Assert.Equal([(effect, run)], TaskBoard.LeasedOf(await one.Life.WaitAsync(stream, _ => true)));
        clock.Turn(Lease);
        await two.Activities.GetPendingAsync(PumpInput.Of(stream), default);
        Assert.Empty(TaskBoard.LeasedOf(await one.Life.WaitAsync(stream, _ => true)));
        Assert.Contains("worker_lost", await one.Life.StoryAsync(stream), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hold_OfAnAcknowledgement_IsOneHostsAtATime()
    {
        await using var one = await BeginAsync();
        await using var two = await BeginAsync();
        var stream = new StreamId(EngineLife.Tenant, "exe_held");
        var (first, second) = (one.Board.Shared!, two.Board.Shared!);

        Assert.Null(await first.HoldAsync(stream, "a~1~1~h1", Lease, default));
        Assert.Equal(Lease, await second.HoldAsync(stream, "a~1~1~h1", Lease, default));
        clock.Turn(TimeSpan.FromSeconds(20));
        Assert.True(await second.TryExtendHoldAsync(stream, "a~1~1~h1", Lease, default)); // A heartbeat may come to any host.
        clock.Turn(TimeSpan.FromSeconds(20));
        Assert.Equal(TimeSpan.FromSeconds(10), await second.HoldAsync(stream, "a~1~1~h1", Lease, default));
        clock.Turn(TimeSpan.FromSeconds(20));
        Assert.False(await first.TryExtendHoldAsync(stream, "a~1~1~h1", Lease, default));
        Assert.Null(await second.HoldAsync(stream, "a~1~1~h1", Lease, default));
    }

    [Fact]
    public async Task Look_QueueOfAnExecutionThatCannotBeRead_BringsTheOthers()
    {
        await using var one = await BeginAsync();
        var damaged = new LogRecord(1, "append_1", 1, 1, "start", "execution.started", [.. Enumerable.Repeat((byte)1, 32)], new byte[32], new byte[64]);
        await storage.Log.AppendAsync(new Append(new StreamId(EngineLife.Tenant, "exe_bad"), 0, damaged) { StreamKey = new LocalKeyWrap(masterKey).Wrap(Seal.NewKey()) });
        await storage.Documents.PutAsync(new DocumentKey(EngineLife.Tenant, "worker_offer", "q.exe_bad"), "{}"u8.ToArray(), "");
        var stream = await one.Life.StartAsync(Spec, "exe_good");
        await one.Activities.GetPendingAsync(PumpInput.Of(stream), default);

        await using var two = await BeginAsync();
        await two.LookAsync();
        Assert.Equal(stream, two.Board.TryTake(EngineLife.Tenant, ["q"])!.Stream);
    }

    [Fact]
    public async Task Lease_WhoseDocumentCannotBeRead_BeginsAnew()
    {
        await using var one = await BeginAsync();
        var (stream, shared) = (new StreamId(EngineLife.Tenant, "exe_held"), one.Board.Shared!);
        foreach (var (effect, run) in new[] { ("a~1~1~h1", 0), ("a~1~1~c1", 1) })
        {
            await storage.Documents.PutAsync(new DocumentKey(EngineLife.Tenant, "worker_lease", $"exe_held.{effect}.{run}"), "soon"u8.ToArray(), "");
        }

        Assert.Equal(clock.NowMs + 30_000, await shared.ExpiresAsync(stream, "a~1~1~c1", 1, Lease, default));
        Assert.False(await shared.TryExtendHoldAsync(stream, "a~1~1~h1", Lease, default));
        Assert.Null(await shared.HoldAsync(stream, "a~1~1~h1", Lease, default));
        Assert.Equal(Lease, await shared.HoldAsync(stream, "a~1~1~h1", Lease, default));
    }

    [Fact]
    public async Task Lease_KeptByAHeartbeatThatCameLate_IsForgottenWithItsExecution()
    {
        await using var one = await BeginAsync();
        var stream = await one.Life.StartAsync(Spec, "exe_late");
        await one.Activities.GetPendingAsync(PumpInput.Of(stream), default);
        var lease = await one.LeaseAsync(one.Board.TryTake(EngineLife.Tenant, ["q"])!);
        var (effect, run) = (lease!.Effect.ToString(), lease.Call.Runs);
        await one.Life.Engine.SubmitAsync(stream, new SettleTask(clock.NowMs, effect, run, new EffectOutcome { Result = Omium.Kernel.Json.JsonMake.Null }));
        await one.Board.Shared!.ExtendAsync(stream, effect, run, Lease, default);

        Assert.True((await one.Activities.GetPendingAsync(PumpInput.Of(stream), default)).IsDone);
        Assert.Empty(await storage.Documents.ListAsync(EngineLife.Tenant, "worker_lease", "", null, 10));
    }

    private async Task<Host> BeginAsync()
    {
        var host = new Host();
        host.Life = await EngineLife.BeginAsync(
            storage, masterKey, new OutsideWorld(),
            (life, _, _) =>
            {
                var engine = new PumpEngine(life.Advancer, life.Runner, host, NullLogger<PumpEngine>.Instance);
                host.Board = engine.Tasks = new TaskBoard(clock)
                {
                    Lease = Lease, Shared = new SharedTasks(storage.Documents, life.Advancer), Submit = (stream, command) => engine.SubmitAsync(stream, command),
                };
                host.Activities = new PumpActivities(life.Advancer, life.Runner, host) { Tasks = host.Board };
                return Task.FromResult(((IExecutionEngine)engine, (Func<ValueTask>)(() => ValueTask.CompletedTask)));
            },
            isAlone: false, clock);
        return host;
    }

    /// <summary>One host: its engine, its board, its activities. Nothing runs by itself.</summary>
    private sealed class Host : IPumpHost, IAsyncDisposable
    {
        public EngineLife Life { get; set; } = null!;

        public TaskBoard Board { get; set; } = null!;

        public PumpActivities Activities { get; set; } = null!;

        public ValueTask LookAsync() => Board.Shared!.LookAsync(EngineLife.Tenant, ["q"], Board, CancellationToken.None);

        public Task<TaskLease?> LeaseAsync(TaskOffer offer) => TaskLeasing.LeaseAsync(Life.Engine, Life.Advancer, Board, offer, "w").AsTask();

        public Task EnsureStartedAsync(StreamId stream, CancellationToken cancellation) => Task.CompletedTask;

        public Task NudgeAsync(StreamId stream, CancellationToken cancellation) => Task.CompletedTask;

        public ValueTask DisposeAsync()
        {
            Board.Dispose();
            return Life.DisposeAsync();
        }
    }

    private sealed class TurnedClock : TimeProvider
    {
        private long nowMs = 1_790_000_000_000;

        public long NowMs => Interlocked.Read(ref nowMs);

        public void Turn(TimeSpan by) => Interlocked.Add(ref nowMs, (long)by.TotalMilliseconds);

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);
    }
}
