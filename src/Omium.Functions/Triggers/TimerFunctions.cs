using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Omium.Azure.Hosting;
using Omium.Azure.Pump;
using Omium.Functions.Pump;

namespace Omium.Functions.Triggers;

/// <summary>What runs by the clock. A timer of Functions runs on one host at a time; both could run on many.</summary>
public sealed class TimerFunctions(AzurePlatform platform, Sweeper sweeper, DurablePumps pumps)
{
    /// <summary>Finds what was lost between two rows or two services.</summary>
    [Function("Sweep")]
    public async Task SweepAsync([TimerTrigger("0 */5 * * * *", UseMonitor = true)] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellation)
    {
        pumps.Use(client);
        await sweeper.RunAsync(cancellation);
        await platform.Credits.SweepAllAsync(cancellation);
    }

    /// <summary>Publishes lifecycle events that are in the log.</summary>
    [Function("Publish")]
    public async Task PublishAsync([TimerTrigger("*/10 * * * * *", UseMonitor = false)] TimerInfo timer, CancellationToken cancellation)
    {
        if (platform.Publisher is { } publisher)
        {
            await publisher.RunOnceAsync(cancellation);
        }
    }
}
