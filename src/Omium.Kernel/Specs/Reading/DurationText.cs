using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Omium.Kernel.Specs.Reading;

/// <summary>
/// Durations: <c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>24h</c>, <c>7d</c>, several in a row (<c>1h30m</c>), ISO 8601 (<c>PT30S</c>, <c>P1DT2H</c>;
/// no years or months, whose length varies), or a number of seconds. At most 10,000 days, exact to 100 ns.
/// </summary>
internal static class DurationText
{
    private const decimal SecondsMax = 10_000m * 86_400m;

    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");

    public static bool TryRead(JsonElement value, out TimeSpan duration)
    {
        duration = default;
        return value.ValueKind switch
        {
            JsonValueKind.String => TryParse(value.GetString()!, out duration),
            JsonValueKind.Number => value.TryGetDecimal(out var seconds) && TryFromSeconds(seconds, out duration),
            _ => false,
        };
    }

    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        if (text.Length is 0 or > 64)
        {
            return false;
        }

        return text[0] == 'P' ? TryParseIso(text[1..], out duration) : TryParseUnits(text, SecondsPerUnit, out duration);
    }

    private static bool TryParseIso(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        var timeAt = text.IndexOf('T');
        var days = timeAt < 0 ? text : text[..timeAt];
        var time = timeAt < 0 ? default : text[(timeAt + 1)..];
        TimeSpan ofDays = default;
        TimeSpan ofTime = default;
        var isDuration = (days.Length > 0 || time.Length > 0)
            && (timeAt < 0 || time.Length > 0)
            && (days.Length == 0 || TryParseUnits(days, SecondsPerIsoDayUnit, out ofDays))
            && (time.Length == 0 || TryParseUnits(time, SecondsPerIsoTimeUnit, out ofTime));
        duration = ofDays + ofTime;
        return isDuration;
    }

    private static bool TryParseUnits(ReadOnlySpan<char> text, Func<string, decimal?> secondsPerUnit, out TimeSpan duration)
    {
        duration = default;
        var seconds = 0m;
        var smallest = decimal.MaxValue;
        while (text.Length > 0)
        {
            var numberLength = text.IndexOfAnyExcept(NumberCharacters);
            if (numberLength <= 0 || !decimal.TryParse(text[..numberLength], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count))
            {
                return false;
            }

            text = text[numberLength..];
            var unitLength = text.IndexOfAny(NumberCharacters);
            unitLength = unitLength < 0 ? text.Length : unitLength;
            if (secondsPerUnit(text[..unitLength].ToString()) is not { } perUnit || perUnit >= smallest || count > SecondsMax)
            {
                return false;
            }

            seconds += count * perUnit;
            smallest = perUnit;
            text = text[unitLength..];
        }

        return TryFromSeconds(seconds, out duration);
    }

    private static bool TryFromSeconds(decimal seconds, out TimeSpan duration)
    {
        var isInRange = seconds is >= 0 and <= SecondsMax;
        duration = isInRange ? TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond)) : default;
        return isInRange;
    }

    private static decimal? SecondsPerUnit(string unit) => unit switch
    {
        "ms" => 0.001m,
        "s" => 1m,
        "m" => 60m,
        "h" => 3_600m,
        "d" => 86_400m,
        _ => null,
    };

    private static decimal? SecondsPerIsoDayUnit(string unit) => unit switch
    {
        "W" => 604_800m,
        "D" => 86_400m,
        _ => null,
    };

    private static decimal? SecondsPerIsoTimeUnit(string unit) => unit switch
    {
        "H" => 3_600m,
        "M" => 60m,
        "S" => 1m,
        _ => null,
    };
}
