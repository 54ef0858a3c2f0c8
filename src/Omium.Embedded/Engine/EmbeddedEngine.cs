using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Omium.Kernel.Executions;
using Omium.Runtime.Audit;
using Omium.Runtime.Effects;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Workers;

namespace Omium.Embedded.Engine;

/// <summary>
/// The engine of one machine: a thin driver around Advance.
/// <code>
/// command -> Advance -> Pending -> for each effect: due now? run it : put it on the timer -> Advance -> ...
/// start   -> every stream that may owe an effect: recover, then the same
/// </code>
/// It keeps nothing that the log does not say: what runs is a set of effect ids, what waits is a heap of due times, both made anew on start.
/// </summary>
public sealed partial class EmbeddedEngine : IExecutionEngine, IAsyncDisposable
{
    private const int RecoverPage = 500;
    private readonly Advancer _advancer;
    private readonly EffectRunner _runner;
    private readonly IIndex _index;
    private readonly ILogger _logger;
    private readonly EmbeddedEngineOptions _options;
    private readonly ConcurrentDictionary<(StreamId, string), bool> _inFlight = new();
    private readonly ConcurrentDictionary<StreamId, bool> _unrecovered = new();
    private readonly DueTimes _dueTimes;
    private readonly SemaphoreSlim _externalEffects;
    private readonly WorkUnderWay _underWay = new();
    private readonly CancellationTokenSource _stopping = new();
    private bool _isDisposed;
    private Task _timerLoop = Task.CompletedTask;
    private Task _look = Task.CompletedTask;

    /// <summary>Makes an engine; <see cref="StartAsync"/> recovers and begins.</summary>
    public EmbeddedEngine(Advancer advancer, EffectRunner runner, IIndex index, ILogger<EmbeddedEngine> logger, TimeProvider time, EmbeddedEngineOptions options)
    {
        (_advancer, _runner, _index, _logger, _options) = (advancer, runner, index, logger, options);
        runner.Submit = SubmitAsync;
        _dueTimes = new DueTimes(time, options.TimersMax);
        _externalEffects = new SemaphoreSlim(options.ConcurrentEffectsMax);
        _runner.OnHeld = (cell, effect, error) => LogStorage(_logger, cell.Stream, effect, error);
        runner.Shared.OnNudge = Nudge;
        if (runner.Credits is { } credits)
        {
            credits.OnNudge = Nudge;
        }
    }

    /// <summary>Where tasks of workers are offered; null = this engine's workflows have none. Its leases end through this engine.</summary>
    public TaskBoard? Tasks
    {
        get;
        init
        {
            field = value;
            if (value is not null)
            {
                value.Submit = (stream, command) => SubmitAsync(stream, command);
                value.Current = (cell, effect) => _runner.Shared.CurrentAsync(cell, effect, CancellationToken.None);
            }
        }
    }

    /// <summary>Executions set aside because deciding about them failed again and again; they need a person, the rest goes on.</summary>
    public ConcurrentDictionary<StreamId, SetAsideExecution> Quarantined { get; } = new();

    /// <inheritdoc/>
    public IReadOnlyCollection<SetAsideExecution> SetAside => [.. Quarantined.Values];

    /// <inheritdoc/>
    public SetAsideExecution? FindSetAside(StreamId stream) => Quarantined.GetValueOrDefault(stream);

    /// <inheritdoc/>
    public async ValueTask<SetAsideExecution?> ReleaseAsync(StreamId stream, CancellationToken cancellation = default)
    {
        if (Quarantined.TryRemove(stream, out _))
        {
            _advancer.Forget(stream);
            await RecoverAsync(stream, cancellation);
        }

        return Quarantined.GetValueOrDefault(stream);
    }

    /// <summary>Begins to keep time, then takes up every stream that may owe an effect. Returns how many there were.</summary>
    public async Task<int> StartAsync(CancellationToken cancellation)
    {
        _timerLoop = Task.Run(() => RunTimersAsync(_stopping.Token), CancellationToken.None);
        return await RecoverAllAsync(cancellation);
    }

    /// <summary>Scans the streams that may owe an effect and takes them up again, without keeping time (<see cref="TickAsync"/>). Returns how many there were.</summary>
    public async Task<int> RecoverAllAsync(CancellationToken cancellation)
    {
        var count = 0;
        StreamId? after = null;
        while (true)
        {
            var page = await _index.ListActiveAsync(after, RecoverPage, cancellation);
            foreach (var stream in page)
            {
                await RecoverAsync(stream, cancellation);
                count++;
                after = stream;
            }

            if (page.Count < RecoverPage)
            {
                return count;
            }
        }
    }

    /// <summary>When <see cref="TickAsync"/> has something to do, Unix ms; null while nothing waits for a time.</summary>
    public long? NextDueMs => _dueTimes.NextDueMs;

    /// <summary>
    /// Takes up what is due by now: one turn of the loop that <see cref="StartAsync"/> runs, for hosts that keep time themselves (a simulator).
    /// </summary>
    public async Task TickAsync(CancellationToken cancellation)
    {
        await LookAroundIfDueAsync(cancellation);
        await TakeUpAsync(_dueTimes.TakeDue(), cancellation);
    }

    /// <summary>Decides and records a command, then runs what became outstanding.</summary>
    public async ValueTask<AdvanceResult> SubmitAsync(
        StreamId stream, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? payloads = null, CancellationToken cancellation = default)
    {
        if (Quarantined.TryGetValue(stream, out var aside))
        {
            throw new ExecutionSetAsideException(aside);
        }

        try
        {
            var result = await _advancer.AdvanceAsync(stream, command, payloads, cancellation);
            Dispatch(result.Cell);
            return result;
        }
        catch (Exception error) when (error is CorruptLogException or CryptographicException or InvalidDataException or JsonException)
        {
            throw new ExecutionSetAsideException(Quarantine(stream, error)); // What is stored of it cannot be read.
        }
        catch (StorageUnavailableException)
        {
            // The caller is told that it failed, but the record may be in: what it led to must not wait for the next start.
            _dueTimes.Add(stream, _advancer.NowMs + (long)_options.RetryStorageAfter.TotalMilliseconds);
            throw;
        }
    }

    /// <summary>
    /// Stops taking up new effects, and waits for the timers and for what is in flight to end: it is cancelled, and resumed by the next start. What does
    /// not hear that it is cancelled is waited for as long as <see cref="EmbeddedEngineOptions.StopWithin"/> says; what it comes to then is nobody's.
    /// Called again, it waits again.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        await _stopping.CancelAsync();
        await _timerLoop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _look.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!await _underWay.WaitAsync(_options.StopWithin))
        {
            return; // Something holds on to what would be disposed of here; nothing of it outlives the process.
        }

        _isDisposed = true;
        _stopping.Dispose();
        _externalEffects.Dispose();
        _dueTimes.Dispose();
    }

    private async Task RecoverAsync(StreamId stream, CancellationToken cancellation)
    {
        try
        {
            if (await _advancer.FindAsync(stream, cancellation) is { } cell)
            {
                var recovered = await _runner.RecoverAsync(cell, _options.OwnsStore, cancellation);
                _unrecovered.TryRemove(stream, out _);
                if (_options.PauseRecovered is { } reason && !recovered.Cell.State.Ended)
                {
                    recovered = await _advancer.AdvanceAsync(stream, new PauseExecution(_advancer.NowMs, ExecutionAudit.ByRestore, $"restore-{reason}", reason), null, cancellation);
                }

                Dispatch(recovered.Cell);
            }
        }
        catch (StorageUnavailableException error)
        {
            // Started on a full disk: nothing is wrong with the execution, so it is taken up as soon as there is space.
            _unrecovered[stream] = true;
            LogNotRecovered(_logger, stream, error);
            _dueTimes.Add(stream, _advancer.NowMs + (long)_options.RetryStorageAfter.TotalMilliseconds);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            Quarantine(stream, error);
        }
    }

    private void Dispatch(ExecutionCell cell)
    {
        Tasks?.Offer(cell);
        foreach (var effect in cell.Pending)
        {
            if (_stopping.IsCancellationRequested || Quarantined.ContainsKey(cell.Stream))
            {
                return;
            }

            if (effect.DueMs > _advancer.NowMs)
            {
                _dueTimes.Add(cell.Stream, effect.DueMs);
            }
            else if (effect.Kind != PendingKind.Task && _inFlight.TryAdd((cell.Stream, effect.Id), true))
            {
                _ = RunAsync(cell, effect);
            }
        }
    }

    private async Task RunAsync(ExecutionCell cell, PendingEffect effect)
    {
        using var piece = _underWay.Begin();
        await Task.Yield();
        var external = effect.Kind is PendingKind.Model or PendingKind.Measure or PendingKind.Call or PendingKind.Verify or PendingKind.Compensate;
        var result = default(AdvanceResult?);
        try
        {
            // First the limits of its agent or tool: who waits for those must not keep others from being called.
            using var permit = await _runner.Limits.EnterAsync(cell, effect, _stopping.Token);
            if (external)
            {
                await _externalEffects.WaitAsync(_stopping.Token);
            }

            try
            {
                result = IsOutstanding(cell, effect) ? await _runner.RunAsync(cell, effect, permit, _stopping.Token) : null;
            }
            finally
            {
                if (external)
                {
                    _externalEffects.Release();
                }
            }
        }
        catch (Exception error) when (_stopping.IsCancellationRequested && error is OperationCanceledException or ObjectDisposedException)
        {
            return; // The next start resumes it.
        }
        catch (StorageUnavailableException error)
        {
            LogStorage(_logger, cell.Stream, effect.Id, error);
            _dueTimes.Add(cell.Stream, _advancer.NowMs + (long)_options.RetryStorageAfter.TotalMilliseconds);
        }
        catch (Exception error)
        {
            Quarantine(cell.Stream, error);
            return;
        }
        finally
        {
            _inFlight.TryRemove((cell.Stream, effect.Id), out _);
            TakeUpNudge(cell, effect);
        }

        if (result is { } advanced)
        {
            Dispatch(advanced.Cell);
        }
    }

    private static bool IsOutstanding(ExecutionCell cell, PendingEffect effect)
    {
        foreach (var pending in cell.Pending)
        {
            if (pending.Id == effect.Id)
            {
                return true;
            }
        }

        return false;
    }

    private async Task RunTimersAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            await TakeUpAsync(await _dueTimes.NextAsync(stopping), stopping);
            if (_look.IsCompleted)
            {
                _look = LookAroundIfDueAsync(stopping); // Beside the timers: with very many streams it takes a while.
            }
        }
    }

    /// <summary>Looks at every active stream when times that were let go of have come near: its outstanding work says what it waits for.</summary>
    private async Task LookAroundIfDueAsync(CancellationToken stopping)
    {
        if (!_dueTimes.TryBeginLook())
        {
            return;
        }

        var sawAll = false;
        try
        {
            StreamId? after = null;
            do
            {
                var page = await _index.ListActiveAsync(after, RecoverPage, stopping);
                await TakeUpAsync(page, stopping);
                sawAll = page.Count < RecoverPage;
                after = page.Count > 0 ? page[^1] : after;
            }
            while (!sawAll);
        }
        catch (StorageException error)
        {
            LogNotLooked(_logger, error);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The next start looks at everything.
        }
        finally
        {
            _dueTimes.EndLook(sawAll);
        }
    }

    private async Task TakeUpAsync(IReadOnlyList<StreamId> streams, CancellationToken stopping)
    {
        foreach (var stream in streams.Where(stream => !Quarantined.ContainsKey(stream)))
        {
            try
            {
                if (_unrecovered.ContainsKey(stream))
                {
                    await RecoverAsync(stream, stopping);
                }
                else if (await _advancer.FindAsync(stream, stopping) is { } cell)
                {
                    Dispatch(cell);
                }
            }
            catch (StorageUnavailableException)
            {
                _dueTimes.Add(stream, _advancer.NowMs + (long)_options.RetryStorageAfter.TotalMilliseconds);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                Quarantine(stream, error);
            }
        }
    }

    private SetAsideExecution Quarantine(StreamId stream, Exception error)
    {
        var aside = Quarantined.GetOrAdd(stream, _ => new SetAsideExecution(stream, $"{error.GetType().Name}: {error.Message}", _advancer.NowMs));
        LogQuarantine(_logger, stream, error);
        return aside;
    }

    [LoggerMessage(2001, LogLevel.Error, "Execution {Stream} is set aside: deciding about it failed. The others go on.")]
    private static partial void LogQuarantine(ILogger logger, StreamId stream, Exception error);

    [LoggerMessage(2004, LogLevel.Warning, "Execution {Stream} waits to be taken up again, because the store cannot take the record of it")]
    private static partial void LogNotRecovered(ILogger logger, StreamId stream, Exception error);

    [LoggerMessage(2005, LogLevel.Warning, "The store could not list what is active: timers that are far away are looked for again")]
    private static partial void LogNotLooked(ILogger logger, Exception error);

    [LoggerMessage(2002, LogLevel.Warning, "Execution {Stream}: effect {Effect} waits, because the store cannot take its record")]
    private static partial void LogStorage(ILogger logger, StreamId stream, string effect, Exception error);
}

/// <summary>Limits of the embedded engine.</summary>
public sealed record EmbeddedEngineOptions
{
    /// <summary>
    /// True (default): no other engine works on this store, so intents of other runners are known to be lost when this one starts. False: several
    /// engines share the log, and an intent of another runner waits until its time is over.
    /// </summary>
    public bool OwnsStore { get; init; } = true;

    /// <summary>Models and tools called at the same time by this process; default 256.</summary>
    public int ConcurrentEffectsMax { get; init; } = 256;

    /// <summary>
    /// Times that are kept in memory, about 250 bytes each; default 100,000, at least 2. Of more than that the furthest stay in the store alone and are
    /// looked for when they come near.
    /// </summary>
    public int TimersMax { get; init; } = 100_000;

    /// <summary>
    /// When set, executions that are under way at the start are paused for this reason before anything is begun for them: after a restore nobody
    /// knows what happened since the backup. Default null: they go on.
    /// </summary>
    public string? PauseRecovered { get; init; }

    /// <summary>How long a stop waits for effects that do not end when they are cancelled; default 2 s.</summary>
    public TimeSpan StopWithin { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long an effect waits before its record is tried again after the store refused it; default 1 s.</summary>
    public TimeSpan RetryStorageAfter { get; init; } = TimeSpan.FromSeconds(1);
}
