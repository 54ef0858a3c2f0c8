using System.Diagnostics;

namespace Omium.Cli.Bench;

/// <summary>Order statistics of a handful of numbers.</summary>
internal static class Percentiles
{
    /// <summary>The smallest value that is not below the given part of all values (nearest rank).</summary>
    public static double At(IEnumerable<double> values, double part)
    {
        var sorted = values.Order().ToArray();
        return sorted[Math.Clamp((int)Math.Ceiling(part * sorted.Length) - 1, 0, sorted.Length - 1)];
    }

    /// <summary>The median.</summary>
    public static double Median(IEnumerable<double> values) => At(values, 0.5);

    /// <summary>Milliseconds since a timestamp.</summary>
    public static double MsSince(long timestamp) => Stopwatch.GetElapsedTime(timestamp).TotalMilliseconds;
}
