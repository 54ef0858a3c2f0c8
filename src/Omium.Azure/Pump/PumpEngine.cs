using Microsoft.Extensions.Logging;
using Omium.Azure.Storage;
using Omium.Kernel.Executions;
using Omium.Runtime.Effects;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Workers;

namespace Omium.Azure.Pump;

/// <summary>
/// The engine of many hosts: a command is appended first, then the execution's pump is started or told. What it accepted is durable when it returns;
/// whether the pump heard of it is not, and need not be: the execution is in the active index, and the sweeper finds it.
/// </summary>
public sealed partial class PumpEngine : IExecutionEngine
{
    private readonly Advancer _advancer;
    private readonly IPumpHost _host;
    private readonly ILogger _logger;

    /// <summary>The engine over one writer; what its runner starts (child workflows) goes through it, too.</summary>
    public PumpEngine(Advancer advancer, EffectRunner runner, IPumpHost host, ILogger<PumpEngine> logger)
    {
        ArgumentNullException.ThrowIfNull(runner);
        (_advancer, _host, _logger) = (advancer, host, logger);
        runner.Submit = SubmitAsync;
    }

    /// <summary>Where tasks of workers are offered; null = none are.</summary>
    public TaskBoard? Tasks { get; set; }

    /// <inheritdoc/>
    public async ValueTask<AdvanceResult> SubmitAsync(
        StreamId stream, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? payloads = null, CancellationToken cancellation = default)
    {
        var result = await _advancer.AdvanceAsync(stream, command, payloads, cancellation);
        Tasks?.Offer(result.Cell); // Also when it was refused: another host may have given the task out, and this one must not offer it on.
        if (result.Changed)
        {
            try
            {
                await _host.EnsureStartedAsync(stream, cancellation);
                await _host.NudgeAsync(stream, cancellation);
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                // It is committed: the caller must not be told otherwise.
                LogLost(_logger, stream, error);
            }
        }

        return result;
    }

    [LoggerMessage(3101, LogLevel.Warning, "The pump of {Stream} could not be told; the sweeper will find the execution")]
    private static partial void LogLost(ILogger logger, StreamId stream, Exception error);
}

/// <summary>
/// Finds what was lost between two rows or two services: listings behind their log, marks without need, executions that owe an effect while their
/// pump sleeps or is gone. The advancer must not take itself to be alone. A timer runs it every few minutes, on any number of hosts.
/// </summary>
public sealed partial class Sweeper(AzureMaintenance maintenance, IIndex index, Advancer advancer, IPumpHost host, ILogger<Sweeper> logger)
{
    private const int PageStreams = 500;

    /// <summary>One round. Answers how many executions owe an effect and were told.</summary>
    public async Task<int> RunAsync(CancellationToken cancellation = default)
    {
        var report = await maintenance.RunAsync(async (stream, cancel) => await OwesAsync(stream, cancel), cancellation);
        var told = 0;
        StreamId? after = null;
        while (await index.ListActiveAsync(after, PageStreams, cancellation) is { Count: > 0 } streams)
        {
            foreach (var stream in streams)
            {
                told += await TellAsync(stream, cancellation) ? 1 : 0;
                after = stream;
            }
        }

        LogRound(logger, report.Checked, report.Removed, told);
        return told;
    }

    private async Task<bool> TellAsync(StreamId stream, CancellationToken cancellation)
    {
        try
        {
            if (!await OwesAsync(stream, cancellation))
            {
                return false;
            }

            await host.EnsureStartedAsync(stream, cancellation);
            await host.NudgeAsync(stream, cancellation);
            return true;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            LogSkipped(logger, stream, error); // One that cannot be read must not keep the sweeper from the others.
            return false;
        }
    }

    private async ValueTask<bool> OwesAsync(StreamId stream, CancellationToken cancellation)
    {
        return await advancer.FindAsync(stream, cancellation) is { Pending.Count: > 0 };
    }

    [LoggerMessage(3102, LogLevel.Information, "Swept: {Checked} marks looked at, {Removed} removed, {Told} executions told")]
    private static partial void LogRound(ILogger logger, int @checked, int removed, int told);

    [LoggerMessage(3103, LogLevel.Error, "Execution {Stream} could not be swept; the others were")]
    private static partial void LogSkipped(ILogger logger, StreamId stream, Exception error);
}
