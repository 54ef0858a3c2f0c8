using Microsoft.Extensions.Options;

namespace Omium.Api.Sessions;

/// <summary>
/// How often somebody may try: so many times for an account from one address, for an account from anywhere, and from one address for anything, within
/// a window. Attempts count when they begin, so that many at once gain nothing, whether the account is there or not. Kept in this process; several
/// processes allow several times as many.
/// </summary>
internal sealed class SignInThrottle(IOptions<OmiumApiOptions> options, TimeProvider time)
{
    private const int EntriesMax = 100_000;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (int Count, long EndsMs)> _attempts = new(StringComparer.Ordinal);

    /// <summary>Counts an attempt. Null when it may go on, else how long to wait.</summary>
    public TimeSpan? Begin(string account, string? address)
    {
        var limits = options.Value;
        lock (_gate)
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            if (_attempts.Count >= EntriesMax)
            {
                Prune(now);
            }

            // The address first: whoever tries many names from one place is stopped before they fill the table.
            foreach (var (key, countMax) in (ReadOnlySpan<(string, int)>)
                [($"a {address}", limits.SignInAttemptsMax * 20), ($"e {account}", limits.SignInAttemptsMax * 10), ($"b {account} {address}", limits.SignInAttemptsMax)])
            {
                var (count, endsMs) = _attempts.TryGetValue(key, out var known) && known.EndsMs > now ? known : (0, now + (long)limits.SignInWindow.TotalMilliseconds);
                if (count >= countMax)
                {
                    return TimeSpan.FromMilliseconds(endsMs - now);
                }

                _attempts[key] = (count + 1, endsMs);
            }

            return null;
        }
    }

    /// <summary>The account's holder has signed in: what was mistyped from this address before does not count any more.</summary>
    public void Succeed(string account, string? address)
    {
        lock (_gate)
        {
            _attempts.Remove($"b {account} {address}");
        }
    }

    private void Prune(long now)
    {
        foreach (var over in _attempts.Where(pair => pair.Value.EndsMs <= now).Select(pair => pair.Key).ToArray())
        {
            _attempts.Remove(over);
        }

        if (_attempts.Count >= EntriesMax)
        {
            _attempts.Clear(); // A flood of names: forgetting is the smaller harm than growing.
        }
    }
}
