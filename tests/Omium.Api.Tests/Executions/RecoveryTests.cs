using Microsoft.Extensions.Logging.Abstractions;
using Omium.Embedded.Engine;
using Omium.Runtime.Effects;
using Omium.Runtime.Executions;
using Omium.Runtime.Resources;
using Omium.Runtime.Ports;

namespace Omium.Api.Tests.Executions;

public sealed class RecoveryTests : IAsyncLifetime
{
    private const string Workflow = """
        {"omium": "v0", "name": "one-call",
         "tools": {"t": {"type": "http", "method": "POST", "url": "http://tool.example/t", "effect": {"kind": "idempotent", "compensate": "u"}},
                   "u": {"type": "http", "method": "POST", "url": "http://tool.example/u", "effect": {"kind": "idempotent"}}},
         "steps": [{"id": "a", "type": "tool_call", "tool": "t", "input": {"x": 1}}]}
        """;

    private ApiHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await ApiHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    /// <summary>The first runner holds a call for good; a second engine starts on the same store, as after a crash, while the disk is full.</summary>
    [Fact]
    public async Task StartAsync_OnAFullDisk_TakesUpWhatWasUnderWayOnceThereIsSpace()
    {
        var never = new TaskCompletionSource();
        _host.Tools.Held = never.Task;
        using (var saved = await _host.Client.PostAsync("/v1/workflows", ApiHost.Json($$"""{"spec": {{Workflow}}}"""), TestContext.Current.CancellationToken))
        {
            Assert.True(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        using var started = await _host.Client.PostAsync("/v1/executions", ApiHost.Json("""{"workflow": "one-call", "input": {}}"""), TestContext.Current.CancellationToken);
        Assert.True(started.IsSuccessStatusCode, await started.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        await _host.Tools.FirstCall.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        var full = new FullDisk(_host.Store.Log);
        var advancer = new Advancer(full, _host.Store.Payloads, new PlanCache(_host.Store.Documents), _host.KeyWrap, TimeProvider.System);
        var shared = new SharedRunner(advancer, new ResourceAdvancer(full, _host.KeyWrap, TimeProvider.System), new ScopeAliases(_host.Store.Documents));
        var runner = new EffectRunner(advancer, shared, _host.Model, new PlayedTools(), new SilentNotifier(), "second");
        var options = new EmbeddedEngineOptions { RetryStorageAfter = TimeSpan.FromMilliseconds(10) };
        await using var second = new EmbeddedEngine(advancer, runner, _host.Store.Index, NullLogger<EmbeddedEngine>.Instance, TimeProvider.System, options);
        await second.StartAsync(TestContext.Current.CancellationToken);
        await full.Refused.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Empty(second.Quarantined);
        full.HasSpace = true;
        await full.Accepted.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    private sealed class FullDisk(IEventLog log) : IEventLog
    {
        private readonly TaskCompletionSource _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _hasSpace;

        public bool HasSpace
        {
            set => _hasSpace = value;
        }

        public Task Refused => _refused.Task;

        public Task Accepted => _accepted.Task;

        public async Task<AppendOutcome> AppendAsync(Append append, CancellationToken cancellation = default)
        {
            if (!_hasSpace)
            {
                _refused.TrySetResult();
                throw new StorageUnavailableException(StorageUnavailableException.Full, "no space left");
            }

            var outcome = await log.AppendAsync(append, cancellation);
            _accepted.TrySetResult();
            return outcome;
        }

        public Task<IReadOnlyList<LogRecord>> ReadAsync(StreamId stream, long afterSeq, int countMax, CancellationToken cancellation = default) =>
            log.ReadAsync(stream, afterSeq, countMax, cancellation);

        public Task<byte[]?> ReadKeyAsync(StreamId stream, CancellationToken cancellation = default) => log.ReadKeyAsync(stream, cancellation);

        public Task DestroyKeyAsync(StreamId stream, CancellationToken cancellation = default) => log.DestroyKeyAsync(stream, cancellation);
    }
}
