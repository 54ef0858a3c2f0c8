using Microsoft.Extensions.Logging;
using Omium.Runtime.Effects.Notifications;

namespace Omium.Azure.Hosting;

/// <summary>Notifications as traces, for the alerts of the operator.</summary>
internal sealed partial class TraceChannel(ILogger<TraceChannel> logger) : INotificationChannel
{
    public Task<string?> TryDeliverAsync(ChannelNotification notification, CancellationToken cancellation)
    {
        LogNotification(logger, notification.Execution, notification.Channel, notification.Message);
        return Task.FromResult<string?>(null);
    }

    [LoggerMessage(3201, LogLevel.Warning, "Notification of {Execution} to {Channel}: {Message}")]
    private static partial void LogNotification(ILogger logger, string execution, string channel, string message);
}
