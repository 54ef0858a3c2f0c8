namespace Omium.EndToEnd.Harness;

/// <summary>Waits for a receiver to notice that the caller of a held request has died.</summary>
internal static class Held
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(10);

    /// <summary>Returns once nothing of this name is held any more; the receiver tells of arrivals, but has no word for a caller that is gone.</summary>
    public static async Task UntilGoneAsync(Receiver receiver, string name)
    {
        using var limit = new CancellationTokenSource(Most);
        using var timer = new PeriodicTimer(Interval);
        while ((await receiver.CountAsync(name)).Holding > 0)
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }
}
