using Microsoft.Extensions.Configuration;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;

namespace Omium.Runtime.Effects.Notifications;

/// <summary>What people are told, the same for every channel.</summary>
/// <param name="Id">Stays the same however often it is tried: <c>{execution}.notify-{number}</c>.</param>
/// <param name="Channel">Channel, as the policy names it.</param>
/// <param name="Kind">failure, review_requested, review_expired, in_doubt, residue or inconsistent.</param>
/// <param name="Execution">Execution.</param>
/// <param name="Workflow">Workflow.</param>
/// <param name="Step">Step concerned.</param>
/// <param name="Message">For people.</param>
public sealed record ChannelNotification(string Id, string Channel, string Kind, string Execution, string Workflow, string Step, string Message);

/// <summary>A way to people: a log, a webhook, a chat. Delivery is at least once; receivers tell repeats by <see cref="ChannelNotification.Id"/>.</summary>
public interface INotificationChannel
{
    /// <summary>Delivers; null when it was delivered, else why not, for people and without secrets.</summary>
    Task<string?> TryDeliverAsync(ChannelNotification notification, CancellationToken cancellation);
}

/// <summary>
/// Sends each notification to the log, and to the channel of its name if one is configured. A name that is not configured is told to the log alone;
/// one that refuses is tried again by the kernel, and shown as undelivered in the end.
/// </summary>
/// <param name="log">Takes every notification.</param>
/// <param name="channels">Channels by name.</param>
public sealed class NotificationChannels(INotificationChannel log, IReadOnlyDictionary<string, INotificationChannel> channels) : INotifier
{
    /// <inheritdoc/>
    public async Task<string?> TryNotifyAsync(ExecutionCell cell, NotificationRequested notification, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(cell);
        ArgumentNullException.ThrowIfNull(notification);
        var told = new ChannelNotification(
            $"{cell.Stream.Id}.notify-{notification.Notification}", notification.Channel, notification.Kind, cell.Stream.Id, cell.State.Workflow, notification.Step, notification.Message);
        var attempts = cell.State.NotificationAttempts.GetValueOrDefault(notification.Notification).Attempts;
        var logged = attempts == 0 ? await log.TryDeliverAsync(told, cancellation) : null;
        return channels.TryGetValue(notification.Channel, out var channel) ? await channel.TryDeliverAsync(told, cancellation) : logged;
    }
}

/// <summary>A webhook channel as configured.</summary>
/// <param name="Name">Name that policies use (<c>notify: name</c>); <c>default</c> takes what names none.</param>
/// <param name="Url">Where it is posted to.</param>
/// <param name="Secret">Signs every message; null = not signed.</param>
public sealed record WebhookOptions(string Name, Uri Url, string? Secret)
{
    /// <summary>
    /// Reads <c>OMIUM_NOTIFY_CHANNELS</c> (comma-separated names, or <c>notify:channels</c>), and of each <c>OMIUM_NOTIFY_NAME_URL</c> and
    /// <c>OMIUM_NOTIFY_NAME_SECRET</c> (a '-' in a name is written '_').
    /// </summary>
    /// <exception cref="InvalidOperationException">A channel has no usable address; the message names it.</exception>
    public static IReadOnlyList<WebhookOptions> From(IConfiguration configuration)
    {
        var values = new OptionReader(configuration, "notify", "OMIUM_NOTIFY");
        var channels = new List<WebhookOptions>();
        foreach (var name in values.List("channels"))
        {
            var key = name.Replace('-', '_').ToLowerInvariant();
            var url = values.Text($"{key}_url");
            if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            {
                throw values.Bad($"{key}_url", url ?? "", "the http or https address of the channel");
            }

            channels.Add(new WebhookOptions(name, address, values.Text($"{key}_secret")));
        }

        return channels;
    }
}
