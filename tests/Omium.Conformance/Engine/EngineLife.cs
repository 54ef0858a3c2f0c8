using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Omium.Conformance.Storage;
using Omium.Embedded.Engine;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Runtime.Effects;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Resources;
using Omium.Runtime.Security;
using Omium.Runtime.Specs;

namespace Omium.Conformance.Engine;

/// <summary>What stands outside the engine and outlives it: it counts each effect by its key, and holds calls back where a test says so.</summary>
public sealed class OutsideWorld
{
    private readonly ConcurrentQueue<(string Tool, string Key, JsonElement Arguments)> calls = new();

    /// <summary>Every call that arrived, in order, repetitions included.</summary>
    public IReadOnlyCollection<(string Tool, string Key, JsonElement Arguments)> Calls => calls;

    /// <summary>Asked for each call after it was counted; the default answers its arguments.</summary>
    public Func<ToolRequest, CancellationToken, Task<EffectOutcome>> Answer { get; set; } =
        (request, _) => Task.FromResult(new EffectOutcome { Result = request.Arguments });

    /// <summary>Calls of a tool, those with the same key counted once.</summary>
    public int Distinct(string tool) => calls.Where(call => call.Tool == tool).Select(call => call.Key).Distinct().Count();

    internal Task<EffectOutcome> CallAsync(ToolRequest request, CancellationToken cancellation)
    {
        calls.Enqueue((request.Tool.Name, request.IdempotencyKey ?? request.EffectId, request.Arguments));
        return Answer(request, cancellation);
    }
}

/// <summary>One life of an engine over a store that others may share: the real writer, runners and engine; models, tools and people are played.</summary>
public sealed class EngineLife : IAsyncDisposable
{
    public const string Tenant = "ten_a";
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(180);
    private readonly StorageBackend storage;

    private EngineLife(StorageBackend storage, byte[] masterKey, OutsideWorld world, bool isAlone, TimeProvider time)
    {
        this.storage = storage;
        var keys = new LocalKeyWrap(masterKey);
        Advancer = new Advancer(storage.Log, storage.Payloads, new PlanCache(storage.Documents), keys, time) { IsAlone = isAlone };
        Verifier = new Verifier(storage.Log, storage.Payloads, storage.Documents, keys);
        var resources = new ResourceAdvancer(storage.Log, keys, time) { IsAlone = isAlone };
        var shared = new SharedRunner(Advancer, resources, new ScopeAliases(storage.Documents));
        Runner = new EffectRunner(Advancer, shared, new NoModel(), new Tools(world), new NoNotifier(), "life-" + Guid.NewGuid().ToString("N")) 
        {
            // A record that takes longer than this (a slow store) makes its runner give up before it calls. Who is not alone also waits for it.
            IntentMargin = TimeSpan.FromSeconds(isAlone ? 60 : 5),
        };
        (Engine, Stop) = (null!, null!);
    }

    /// <summary>Makes an engine of a life; answers it, and how it is stopped at once.</summary>
    public delegate Task<(IExecutionEngine Engine, Func<ValueTask> Stop)> MakeEngine(EngineLife life, StorageBackend storage, bool isAlone);

    public EffectRunner Runner { get; }

    /// <summary>The embedded engine.</summary>
    public static async Task<(IExecutionEngine Engine, Func<ValueTask> Stop)> EmbeddedAsync(EngineLife life, StorageBackend storage, bool isAlone)
    {
        var engine = new EmbeddedEngine(
            life.Advancer, life.Runner, storage.Index, NullLogger<EmbeddedEngine>.Instance, TimeProvider.System,
            new EmbeddedEngineOptions { OwnsStore = isAlone, RetryStorageAfter = TimeSpan.FromMilliseconds(50) });
        await engine.StartAsync(CancellationToken.None);
        return (engine, engine.DisposeAsync);
    }

    public Advancer Advancer { get; }

    public Verifier Verifier { get; }

    public IExecutionEngine Engine { get; private set; }

    private Func<ValueTask> Stop { get; set; }

    /// <summary>Begins a life and takes up what an earlier one has left.</summary>
    public static async Task<EngineLife> BeginAsync(StorageBackend storage, byte[] masterKey, OutsideWorld world, MakeEngine make, bool isAlone, TimeProvider? time = null)
    {
        var life = new EngineLife(storage, masterKey, world, isAlone, time ?? TimeProvider.System);
        (life.Engine, life.Stop) = await make(life, storage, isAlone);
        return life;
    }

    /// <summary>Saves a spec and starts an execution of it.</summary>
    public async Task<StreamId> StartAsync(string spec, string id, string input = "{}")
    {
        Assert.True(SpecText.TryRead(spec, out var source, out var problem), problem?.Message);
        var read = SpecReader.Read(source);
        Assert.True(read.Spec is not null, string.Join("; ", read.Findings.Select(finding => $"{finding.Pointer}: {finding.Message}")));
        var bytes = CanonicalJson.Canonicalize(source);
        var digest = CanonicalJson.Digest(bytes);
        await storage.Documents.PutAsync(new DocumentKey(Tenant, PlanCache.Kind, digest), bytes, null);
        var stream = new StreamId(Tenant, id);
        Dictionary<string, byte[]>? stored = null;
        var interned = PayloadResolver.Intern(Json(input), ref stored);
        var result = await Engine.SubmitAsync(stream, new StartExecution(Advancer.NowMs, id, Tenant, read.Spec!.Name, 1, digest, interned, 1, "ada", 10_000), stored);
        Assert.Null(result.Rejection);
        return stream;
    }

    public async Task<AdvanceResult> SubmitAsync(StreamId stream, ExecutionCommand command) => await Engine.SubmitAsync(stream, command);

    /// <summary>Waits until the state is as wished, whoever brings it there.</summary>
    public Task<ExecutionState> WaitAsync(StreamId stream, Func<ExecutionState, bool> wanted) => WaitForAsync(stream, cell => wanted(cell.State));

    private async Task<ExecutionState> WaitForAsync(StreamId stream, Func<ExecutionCell, bool> wanted)
    {
        using var limit = new CancellationTokenSource(WaitMax);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (true)
        {
            if (await Look(stream, limit.Token) is { } cell && wanted(cell))
            {
                return cell.State;
            }

            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    // Another engine may have moved it on, also where this one takes itself to be alone.
    private ValueTask<ExecutionCell?> Look(StreamId stream, CancellationToken cancellation)
    {
        if (Advancer.IsAlone)
        {
            Advancer.Forget(stream);
        }

        return Advancer.FindAsync(stream, cancellation);
    }

    public Task<ExecutionState> EndAsync(StreamId stream) => WaitAsync(stream, state => state.Ended);

    /// <summary>Waits until it has ended and owes nothing: a run that is over may still have locks to give back.</summary>
    public Task<ExecutionState> SettleAsync(StreamId stream) => WaitForAsync(stream, cell => cell.State.Ended && cell.Pending.Count == 0);

    /// <summary>Waits until the index tells this status and nothing is active: a store without transactions over both writes it after the record, again until it stands.</summary>
    public async Task IndexedAsync(StreamId stream, string status)
    {
        using var limit = new CancellationTokenSource(WaitMax);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while ((await storage.Index.GetAsync(stream.Tenant, IndexKinds.Execution, stream.Id, limit.Token))?.Status != status
            || (await storage.Index.ListActiveAsync(null, 10, limit.Token)).Count > 0)
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>The events of an execution by their stable names, record by record.</summary>
    public async Task<IReadOnlyList<string>> EventsAsync(StreamId stream) =>
        [.. (await storage.Log.ReadAsync(stream, 0, int.MaxValue)).Select(record => record.EventTypes)];

    /// <summary>What has happened, for the message of a test that fails.</summary>
    public async Task<string> StoryAsync(StreamId stream) => string.Join('\n', (await Advancer.ReadAsync(stream, 0, int.MaxValue))
        .Select(entry => $"{entry.Record.Seq} {entry.Record.Command}: {string.Join("; ", entry.Body.Events)}"));

    /// <summary>Stops at once: what is under way is left as a killed process leaves it.</summary>
    public ValueTask DisposeAsync() => Stop();

    public static JsonElement Json(string text) =>
        CanonicalJson.TryParse(Encoding.UTF8.GetBytes(text), out var value, out var problem) ? value : throw new ArgumentException(problem!.Message);

    private sealed class Tools(OutsideWorld world) : IToolClient
    {
        public Task<EffectOutcome> CallAsync(ToolRequest request, CancellationToken cancellation) => world.CallAsync(request, cancellation);
    }

    private sealed class NoModel : IModelClient
    {
        public Task<EffectOutcome> AnswerAsync(ModelRequest request, Action<string>? onDelta, CancellationToken cancellation) =>
            throw new InvalidOperationException("The suite's workflows ask no model.");
    }

    private sealed class NoNotifier : INotifier
    {
        public Task<string?> TryNotifyAsync(ExecutionCell cell, NotificationRequested notification, CancellationToken cancellation) => Task.FromResult<string?>(null);
    }
}
