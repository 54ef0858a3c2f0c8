using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Omium.Embedded.Engine;
using Omium.Embedded.Storage;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Runtime.Effects;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Resources;
using Omium.Runtime.Security;
using Omium.Runtime.Specs;

namespace Omium.Embedded.Tests;

/// <summary>A data directory with the real store, writer, runners and engine over it; only the model, the tools and, where wished, the clock are played.</summary>
internal sealed class Rig : IAsyncDisposable
{
    public const string Tenant = "ten_a";
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(60);
    private readonly bool _ownsDirectory;
    private int _started;

    private Rig(string directory, bool ownsDirectory, byte[] masterKey, RigOptions options, EmbeddedStore store)
    {
        (Directory, _ownsDirectory, MasterKey, Store) = (directory, ownsDirectory, masterKey, store);
        var keys = new LocalKeyWrap(masterKey);
        Advancer = new Advancer(store.Log, store.Payloads, new PlanCache(store.Documents), keys, options.Time);
        Verifier = new Verifier(store.Log, store.Payloads, store.Documents, keys);
        var shared = new SharedRunner(Advancer, new ResourceAdvancer(store.Log, keys, options.Time), new ScopeAliases(store.Documents));
        Runner = new EffectRunner(Advancer, shared, new Model(options.Answer), new Tools(options.Call), new Notifier(), "rig-" + Guid.NewGuid().ToString("N")) { RetryStorageAfter = TimeSpan.FromMilliseconds(50) };
        Engine = new EmbeddedEngine(Advancer, Runner, store.Index, NullLogger<EmbeddedEngine>.Instance, options.Time, options.Engine);
    }

    public string Directory { get; }

    public byte[] MasterKey { get; }

    public EmbeddedStore Store { get; }

    public Advancer Advancer { get; }

    public Verifier Verifier { get; }

    public EffectRunner Runner { get; }

    public EmbeddedEngine Engine { get; }

    /// <summary>How many executions were under way when it was opened.</summary>
    public int Recovered { get; private set; }

    /// <summary>Opens a directory, a new one where none is named, and recovers what is under way in it.</summary>
    public static async Task<Rig> OpenAsync(RigOptions? options = null, string? directory = null, byte[]? masterKey = null)
    {
        var path = directory ?? System.IO.Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        options ??= new RigOptions();
        var store = EmbeddedStore.Open(options.Store(path));
        var rig = new Rig(path, directory is null, masterKey ?? Seal.NewKey(), options, store);
        rig.Recovered = await rig.Engine.StartAsync(CancellationToken.None);
        return rig;
    }

    /// <summary>Saves a spec and answers its digest.</summary>
    public async Task<(WorkflowSpec Spec, string Digest)> SaveAsync(string spec)
    {
        Assert.True(SpecText.TryRead(spec, out var source, out var problem), problem?.Message);
        var read = SpecReader.Read(source);
        Assert.True(read.Spec is not null, string.Join("; ", read.Findings.Select(finding => $"{finding.Pointer}: {finding.Message}")));
        var bytes = CanonicalJson.Canonicalize(source);
        var digest = CanonicalJson.Digest(bytes);
        await Store.Documents.PutAsync(new DocumentKey(Tenant, PlanCache.Kind, digest), bytes, null);
        return (read.Spec!, digest);
    }

    /// <summary>Starts an execution of a spec.</summary>
    public async Task<ExecutionCell> StartAsync(string spec, string input = "{}", string? id = null)
    {
        var (read, digest) = await SaveAsync(spec);
        var stream = new StreamId(Tenant, id ?? $"exe_{++_started:D4}");
        Dictionary<string, byte[]>? stored = null;
        var interned = PayloadResolver.Intern(Json(input), ref stored);
        var start = new StartExecution(Advancer.NowMs, stream.Id, Tenant, read.Name, 1, digest, interned, 1, "rig", 10_000);
        var result = await Engine.SubmitAsync(stream, start, stored);
        Assert.Null(result.Rejection);
        return result.Cell;
    }

    /// <summary>Starts an execution and waits until it has ended or waits for a person.</summary>
    public async Task<ExecutionState> RunAsync(string spec, string input = "{}", string? id = null)
    {
        var cell = await StartAsync(spec, input, id);
        return await WaitAsync(cell.Stream, state => state.Ended || state.Status == ExecutionStatus.Paused);
    }

    /// <summary>Waits for records until the state is as wished.</summary>
    public async Task<ExecutionState> WaitAsync(StreamId stream, Func<ExecutionState, bool> wanted)
    {
        var reached = new TaskCompletionSource<ExecutionState>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(ExecutionCell cell, LogRecord record, RecordBody body)
        {
            if (cell.Stream == stream && wanted(cell.State))
            {
                reached.TrySetResult(cell.State);
            }
        }

        Advancer.Appended += Look;
        try
        {
            return await Advancer.FindAsync(stream) is { } now && wanted(now.State) ? now.State : await reached.Task.WaitAsync(WaitMax);
        }
        finally
        {
            Advancer.Appended -= Look;
        }
    }

    public static StreamId Stream(string id) => new(Tenant, id);

    public static JsonElement Json(string text) =>
        CanonicalJson.TryParse(Encoding.UTF8.GetBytes(text), out var value, out var problem) ? value : throw new ArgumentException(problem!.Message);

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        await Store.DisposeAsync();
        if (_ownsDirectory)
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }

    private sealed class Model(Func<ModelRequest, EffectOutcome> answer) : IModelClient
    {
        public Task<EffectOutcome> AnswerAsync(ModelRequest request, Action<string>? onDelta, CancellationToken cancellation) => Task.FromResult(answer(request));
    }

    private sealed class Tools(Func<ToolRequest, CancellationToken, Task<EffectOutcome>> call) : IToolClient
    {
        public Task<EffectOutcome> CallAsync(ToolRequest request, CancellationToken cancellation) => call(request, cancellation);
    }

    private sealed class Notifier : INotifier
    {
        public Task<string?> TryNotifyAsync(ExecutionCell cell, NotificationRequested notification, CancellationToken cancellation) => Task.FromResult<string?>(null);
    }
}

/// <summary>What is played around a <see cref="Rig"/>.</summary>
internal sealed record RigOptions
{
    /// <summary>The model; by default it answers an empty object.</summary>
    public Func<ModelRequest, EffectOutcome> Answer { get; init; } = _ => Says("{}");

    /// <summary>The tools; by default each answers its arguments.</summary>
    public Func<ToolRequest, CancellationToken, Task<EffectOutcome>> Call { get; init; } = (request, _) => Task.FromResult(new EffectOutcome { Result = request.Arguments });

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public EmbeddedEngineOptions Engine { get; init; } = new() { RetryStorageAfter = TimeSpan.FromMilliseconds(50) };

    public Func<string, EmbeddedStoreOptions> Store { get; init; } = path => new EmbeddedStoreOptions(path);

    public static EffectOutcome Says(string content) => new() { Answer = new ModelAnswer { Content = content, InputTokens = 10, OutputTokens = 5 } };
}
