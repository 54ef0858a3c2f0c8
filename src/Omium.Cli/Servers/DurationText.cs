using System.Globalization;

namespace Omium.Cli.Servers;

/// <summary>Durations as people write them: <c>200ms</c>, <c>1.5s</c>, <c>2m</c>.</summary>
internal static class DurationText
{
    /// <exception cref="UsageException">Not a duration.</exception>
    public static TimeSpan Read(string text, string where)
    {
        var digits = text.AsSpan().TrimEnd("ms");
        double? unitMs = text[digits.Length..] switch { "ms" => 1, "s" => 1000, "m" => 60_000, _ => null };
        return unitMs is { } ms && double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count) && count * ms < 3_600_000
            ? TimeSpan.FromMilliseconds(count * ms)
            : throw new UsageException($"{where} is '{text}'; expected a duration below one hour such as 200ms, 1.5s or 2m.");
    }
}
