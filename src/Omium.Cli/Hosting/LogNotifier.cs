using Omium.Kernel.Executions;
using Omium.Runtime.Effects;
using Omium.Runtime.Executions;

namespace Omium.Cli.Hosting;

/// <summary>Notifications on one machine: a line of the log, and the newest kept in memory.</summary>
internal sealed partial class LogNotifier(ILogger<LogNotifier> logger) : INotifier
{
    private const int KeptMax = 100;
    private readonly Queue<string> _kept = new();
    private readonly Lock _gate = new();

    /// <summary>The newest notifications, oldest first; at most 100.</summary>
    public IReadOnlyList<string> Kept
    {
        get
        {
            lock (_gate)
            {
                return [.. _kept];
            }
        }
    }

    /// <inheritdoc/>
    public Task<string?> TryNotifyAsync(ExecutionCell cell, NotificationRequested notification, CancellationToken cancellation)
    {
        var execution = cell.Stream.Id;
        LogNotification(logger, execution, notification.Channel, notification.Message);
        lock (_gate)
        {
            if (_kept.Count == KeptMax)
            {
                _kept.Dequeue();
            }

            _kept.Enqueue($"{execution}: {notification.Message}");
        }

        return Task.FromResult<string?>(null);
    }

    [LoggerMessage(4001, LogLevel.Information, "{Execution} tells {Channel}: {Message}")]
    private static partial void LogNotification(ILogger logger, string execution, string channel, string message);
}
