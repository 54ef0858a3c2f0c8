using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Omium.Kernel.Executions;
using Omium.Runtime.Effects;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

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
    private readonly Advancer _advancer;
    private readonly EffectRunner _runner;
    private readonly IIndex _index;
    private readonly ILogger _logger;
    private readonly EmbeddedEngineOptions _options;
    private readonly ConcurrentDictionary<(StreamId, string), bool> _inFlight = new();
    private readonly ConcurrentDictionary<StreamId, bool> _unrecovered = new();
    private readonly DueTimes _dueTimes;
    private readonly SemaphoreSlim _externalEffects;
    private readonly CancellationTokenSource _stopping = new();
    private Task _timerLoop = Task.CompletedTask;

    /// <summary>Makes an engine; <see cref="StartAsync"/> recovers and begins.</summary>
    public EmbeddedEngine(Advancer advancer, EffectRunner runner, IIndex index, ILogger<EmbeddedEngine> logger, TimeProvider time, EmbeddedEngineOptions options)
    {
        (_advancer, _runner, _index, _logger, _options) = (advancer, runner, index, logger, options);
        runner.Submit = SubmitAsync;
        _dueTimes = new DueTimes(time);
        _externalEffects = new SemaphoreSlim(options.ConcurrentEffectsMax);
    }

    /// <summary>Executions set aside because deciding about them failed again and again; they need a person, the rest goes on.</summary>
    public ConcurrentDictionary<StreamId, string> Quarantined { get; } = new();

    /// <summary>Scans the streams that may owe an effect and takes them up again. Returns how many there were.</summary>
    public async Task<int> StartAsync(CancellationToken cancellation)
    {
        _timerLoop = Task.Run(() => RunTimersAsync(_stopping.Token), CancellationToken.None);
        var count = 0;
        StreamId? after = null;
        while (true)
        {
            var page = await _index.ListActiveAsync(after, 500, cancellation);
            foreach (var stream in page)
            {
                await RecoverAsync(stream, cancellation);
                count++;
                after = stream;
            }

            if (page.Count < 500)
            {
                return count;
            }
        }
    }

    /// <summary>Decides and records a command, then runs what became outstanding.</summary>
    public async ValueTask<AdvanceResult> SubmitAsync(
        StreamId stream, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? payloads = null, CancellationToken cancellation = default)
    {
        var result = await _advancer.AdvanceAsync(stream, command, payloads, cancellation);
        Dispatch(result.Cell);
        return result;
    }

    /// <summary>Stops taking up new effects and waits for the timers to end. What is in flight is resumed by the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _timerLoop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
                var recovered = await _runner.RecoverAsync(cell, cancellation);
                _unrecovered.TryRemove(stream, out _);
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
        foreach (var effect in cell.Pending)
        {
            if (_stopping.IsCancellationRequested)
            {
                return;
            }

            if (effect.DueMs > _advancer.NowMs)
            {
                _dueTimes.Add(cell.Stream, effect.DueMs);
            }
            else if (_inFlight.TryAdd((cell.Stream, effect.Id), true))
            {
                _ = RunAsync(cell, effect);
            }
        }
    }

    private async Task RunAsync(ExecutionCell cell, PendingEffect effect)
    {
        await Task.Yield();
        var external = effect.Kind is PendingKind.Model or PendingKind.Call or PendingKind.Verify or PendingKind.Compensate;
        var result = default(AdvanceResult?);
        try
        {
            if (external)
            {
                await _externalEffects.WaitAsync(_stopping.Token);
            }

            try
            {
                result = await _runner.RunAsync(cell, effect, _stopping.Token);
            }
            finally
            {
                if (external)
                {
                    _externalEffects.Release();
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            return;
        }
        catch (StorageUnavailableException error)
        {
            LogStorage(_logger, cell.Stream, effect.Id, error);
            _dueTimes.Add(cell.Stream, _advancer.NowMs + (long)_options.RetryStorageAfter.TotalMilliseconds);
        }
        catch (Exception error) when (effect.Kind == PendingKind.Notify)
        {
            LogNotDelivered(_logger, cell.Stream, effect.Id, error);
            _dueTimes.Add(cell.Stream, _advancer.NowMs + (long)_options.RetryNotificationAfter.TotalMilliseconds);
        }
        catch (Exception error)
        {
            Quarantine(cell.Stream, error);
            return;
        }
        finally
        {
            _inFlight.TryRemove((cell.Stream, effect.Id), out _);
        }

        if (result is { } advanced)
        {
            Dispatch(advanced.Cell);
        }
    }

    private async Task RunTimersAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            foreach (var stream in await _dueTimes.NextAsync(stopping))
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
    }

    private void Quarantine(StreamId stream, Exception error)
    {
        Quarantined[stream] = error.Message;
        LogQuarantine(_logger, stream, error);
    }

    [LoggerMessage(2001, LogLevel.Error, "Execution {Stream} is set aside: deciding about it failed. The others go on.")]
    private static partial void LogQuarantine(ILogger logger, StreamId stream, Exception error);

    [LoggerMessage(2004, LogLevel.Warning, "Execution {Stream} waits to be taken up again, because the store cannot take the record of it")]
    private static partial void LogNotRecovered(ILogger logger, StreamId stream, Exception error);

    [LoggerMessage(2003, LogLevel.Warning, "Execution {Stream}: notification {Effect} was not delivered and will be tried again")]
    private static partial void LogNotDelivered(ILogger logger, StreamId stream, string effect, Exception error);

    [LoggerMessage(2002, LogLevel.Warning, "Execution {Stream}: effect {Effect} waits, because the store cannot take its record")]
    private static partial void LogStorage(ILogger logger, StreamId stream, string effect, Exception error);
}

/// <summary>Limits of the embedded engine.</summary>
public sealed record EmbeddedEngineOptions
{
    /// <summary>Models and tools called at the same time by this process; default 256.</summary>
    public int ConcurrentEffectsMax { get; init; } = 256;

    /// <summary>How long an effect waits before its record is tried again after the store refused it; default 1 s.</summary>
    public TimeSpan RetryStorageAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a notification waits before it is tried again after it could not be delivered; default 5 s.</summary>
    public TimeSpan RetryNotificationAfter { get; init; } = TimeSpan.FromSeconds(5);
}
