using Omium.Simulation.Workflows;

namespace Omium.Simulation.Outside;

/// <summary>Limits held against the calls that truly go out, for each process by itself: no more at a time, no more in a second, none while the breaker is open.</summary>
internal sealed class LimitLaws
{
    /// <summary>Clocks of different hosts and the times of steps differ by less than this, ms.</summary>
    private const long ToleranceMs = 50;

    private readonly Dictionary<(string Process, string Tool), Calls> _calls = [];

    public IReadOnlyList<DrawnLimits> Drawn { get; set; } = [];

    /// <summary>False where leave to call may wait for a slow store or a process that stands still, and calls then go out together.</summary>
    public bool AreTimely { get; set; }

    /// <summary>Laws that were broken.</summary>
    public List<string> Broken { get; } = [];

    public void Begins(string process, string tool, long atMs)
    {
        if (Drawn.FirstOrDefault(limit => limit.Tool == tool) is not { } limit)
        {
            return;
        }

        var calls = _calls.TryGetValue((process, tool), out var known) ? known : _calls[(process, tool)] = new Calls();
        calls.UnderWay++;
        calls.Begun.Add(atMs);
        if (calls.UnderWay > (limit.Concurrent ?? int.MaxValue))
        {
            Broken.Add($"{process} makes {calls.UnderWay} calls of {tool} at a time, more than {limit.Concurrent}");
        }

        if (limit.PerSecond is { } rate && AreTimely)
        {
            var burst = Math.Max(1, Math.Floor(rate));
            for (var first = Math.Max(0, calls.Begun.Count - 20); first < calls.Begun.Count; first++)
            {
                var (count, spanMs) = (calls.Begun.Count - first, atMs - calls.Begun[first] + ToleranceMs);
                if (count > burst + (rate * spanMs / 1_000))
                {
                    Broken.Add($"{process} makes {count} calls of {tool} in {spanMs} ms, more than {rate} a second");
                    return;
                }
            }
        }

        if (atMs + ToleranceMs < calls.OpenUntilMs)
        {
            Broken.Add($"{process} calls {tool} while its breaker is open for another {calls.OpenUntilMs - atMs} ms");
        }
    }

    /// <summary><paramref name="failed"/>: with what may be the other side's trouble, not a refusal of this one request.</summary>
    public void Ends(string process, string tool, long atMs, bool failed)
    {
        if (!_calls.TryGetValue((process, tool), out var calls))
        {
            return;
        }

        calls.UnderWay--;
        calls.Failures = failed ? calls.Failures + 1 : 0;
        if (calls.Failures >= DrawnLimits.BreakerFailures && Drawn.First(limit => limit.Tool == tool).Breaker)
        {
            (calls.Failures, calls.OpenUntilMs) = (0, atMs + DrawnLimits.CoolDownMs);
        }
    }

    private sealed class Calls
    {
        public int UnderWay { get; set; }

        public int Failures { get; set; }

        public long OpenUntilMs { get; set; }

        public List<long> Begun { get; } = [];
    }
}
