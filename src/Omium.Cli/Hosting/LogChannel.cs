using Omium.Runtime.Effects.Notifications;

namespace Omium.Cli.Hosting;

/// <summary>Notifications on one machine: a line of the log, and the newest kept in memory.</summary>
internal sealed partial class LogChannel(ILogger<LogChannel> logger) : INotificationChannel
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
    public Task<string?> TryDeliverAsync(ChannelNotification notification, CancellationToken cancellation)
    {
        LogNotification(logger, notification.Execution, notification.Channel, notification.Message);
        lock (_gate)
        {
            if (_kept.Count == KeptMax)
            {
                _kept.Dequeue();
            }

            _kept.Enqueue($"{notification.Execution}: {notification.Message}");
        }

        return Task.FromResult<string?>(null);
    }

    [LoggerMessage(4001, LogLevel.Information, "{Execution} tells {Channel}: {Message}")]
    private static partial void LogNotification(ILogger logger, string execution, string channel, string message);
}
