using Microsoft.Extensions.Options;

namespace Omium.Api.Reviews;

/// <summary>
/// How many tokens that are not good may come from one address: <see cref="OmiumApiOptions.ApprovalAttemptsMax"/> within
/// <see cref="OmiumApiOptions.SignInWindow"/>. An attempt counts when it begins, so that many at once gain nothing, and is taken off again when its token was
/// good: a relay that delivers everybody's approvals is in nobody's way. What came by no wire has no address and is not counted. Kept in this process; several
/// processes allow several times as many.
/// </summary>
internal sealed class ApprovalThrottle(IOptions<OmiumApiOptions> options, TimeProvider time)
{
    private const int EntriesMax = 100_000;
    private static readonly TimeSpan UnderWay = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Attempts> _attempts = new(StringComparer.Ordinal);

    /// <summary>Counts an attempt. Null when it may go on (then <see cref="End"/> it), else how long to wait.</summary>
    public TimeSpan? Begin(string? address)
    {
        if (address is null)
        {
            return null;
        }

        lock (_gate)
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            Prune(now);
            var known = _attempts.GetValueOrDefault(address) ?? new Attempts();
            if (known.EndsMs <= now)
            {
                known.Refused = 0;
                known.EndsMs = now + (long)options.Value.SignInWindow.TotalMilliseconds;
            }

            if (known.Refused + known.Open >= options.Value.ApprovalAttemptsMax)
            {
                return known.Refused >= options.Value.ApprovalAttemptsMax ? TimeSpan.FromMilliseconds(known.EndsMs - now) : UnderWay;
            }

            known.Open++;
            _attempts[address] = known;
            return null;
        }
    }

    /// <summary>The attempt is over; one whose token was good does not count any more.</summary>
    public void End(string? address, bool isGood)
    {
        if (address is null)
        {
            return;
        }

        lock (_gate)
        {
            if (_attempts.TryGetValue(address, out var known))
            {
                known.Open -= Math.Min(1, known.Open);
                known.Refused += isGood ? 0 : 1;
                if (known is { Open: 0, Refused: 0 })
                {
                    _attempts.Remove(address);
                }
            }
        }
    }

    private void Prune(long now)
    {
        if (_attempts.Count < EntriesMax)
        {
            return;
        }

        foreach (var over in _attempts.Where(pair => pair.Value.EndsMs <= now && pair.Value.Open == 0).Select(pair => pair.Key).ToArray())
        {
            _attempts.Remove(over);
        }

        if (_attempts.Count >= EntriesMax)
        {
            _attempts.Clear(); // A flood of addresses: forgetting is the smaller harm than growing.
        }
    }

    private sealed class Attempts
    {
        public int Refused { get; set; }

        public int Open { get; set; }

        public long EndsMs { get; set; }
    }
}
