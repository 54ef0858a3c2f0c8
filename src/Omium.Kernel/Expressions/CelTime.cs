using System.Globalization;
using System.Text;

namespace Omium.Kernel.Expressions;

/// <summary>A point in time from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z, with nanoseconds.</summary>
public sealed class CelTimestamp : CelValue
{
    internal const long SecondsMin = -62_135_596_800;
    internal const long SecondsMax = 253_402_300_799;
    private const long NanosecondsPerSecond = 1_000_000_000;

    private CelTimestamp(long unixSeconds, int nanoseconds)
    {
        UnixSeconds = unixSeconds;
        Nanoseconds = nanoseconds;
    }

    /// <inheritdoc/>
    public override CelKind Kind => CelKind.Timestamp;

    /// <summary>Whole seconds since 1970-01-01T00:00:00Z, rounded down.</summary>
    public long UnixSeconds { get; }

    /// <summary>Nanoseconds within the second, 0 to 999,999,999.</summary>
    public int Nanoseconds { get; }

    /// <summary>The timestamp of a .NET time.</summary>
    public static CelTimestamp Of(DateTimeOffset time)
    {
        long ticks = time.UtcTicks - DateTime.UnixEpoch.Ticks;
        long seconds = (long)Math.Floor(ticks / (decimal)TimeSpan.TicksPerSecond);
        return new CelTimestamp(seconds, (int)(ticks - (seconds * TimeSpan.TicksPerSecond)) * 100);
    }

    /// <summary>The timestamp of seconds and nanoseconds since 1970; null when it is out of range.</summary>
    public static CelTimestamp? TryOf(long unixSeconds, int nanoseconds) =>
        unixSeconds is < SecondsMin or > SecondsMax || nanoseconds is < 0 or >= (int)NanosecondsPerSecond
            ? null : new CelTimestamp(unixSeconds, nanoseconds);

    /// <summary>Reads RFC 3339 text (<c>2009-02-13T23:31:30.5Z</c>, <c>...+01:00</c>); null when it is not that or out of range.</summary>
    public static CelTimestamp? TryParse(string text)
    {
        ReadOnlySpan<char> rest = text;
        if (rest.Length is < 20 or > 64 || rest[4] != '-' || rest[7] != '-' || rest[10] != 'T' || rest[13] != ':' || rest[16] != ':'
            || !Digits(rest[..4], out int year) || !Digits(rest[5..7], out int month) || !Digits(rest[8..10], out int day)
            || !Digits(rest[11..13], out int hour) || !Digits(rest[14..16], out int minute) || !Digits(rest[17..19], out int second)
            || year == 0 || month is 0 or > 12 || day == 0 || day > DateTime.DaysInMonth(year, month)
            || hour > 23 || minute > 59 || second > 59)
        {
            return null;
        }

        rest = rest[19..];
        if (!TryFraction(ref rest, out int nanoseconds) || CelTime.TryOffsetSeconds(rest) is not { } offsetSeconds)
        {
            return null;
        }

        long seconds = (CelTime.DaysFromCivil(year, month, day) * 86_400) + (hour * 3_600) + (minute * 60) + second;
        return TryOf(seconds - offsetSeconds, nanoseconds);
    }

    /// <summary>This time plus a duration; null when it is out of range.</summary>
    public CelTimestamp? TryAdd(CelDuration duration)
    {
        Int128 total = TotalNanoseconds + duration.Nanoseconds;
        Int128 seconds = total / NanosecondsPerSecond;
        Int128 rest = total % NanosecondsPerSecond;
        return rest < 0 ? TryOf((long)(seconds - 1), (int)(rest + NanosecondsPerSecond)) : TryOf((long)seconds, (int)rest);
    }

    /// <summary>The duration from another time to this one; null when it exceeds 64 bits of nanoseconds (292 years).</summary>
    public CelDuration? TrySubtract(CelTimestamp other)
    {
        Int128 nanoseconds = TotalNanoseconds - other.TotalNanoseconds;
        return nanoseconds < long.MinValue || nanoseconds > long.MaxValue ? null : new CelDuration((long)nanoseconds);
    }

    /// <summary>Minus, zero or plus one: whether this time is before, at or after another.</summary>
    public int CompareTo(CelTimestamp other) => TotalNanoseconds.CompareTo(other.TotalNanoseconds);

    /// <summary>RFC 3339 text in UTC with as many decimals as needed.</summary>
    internal string ToText()
    {
        (long year, int month, int day) = CelTime.CivilFromDays(CelTime.FloorDivide(UnixSeconds, 86_400));
        long second = UnixSeconds - (CelTime.FloorDivide(UnixSeconds, 86_400) * 86_400);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{year:0000}-{month:00}-{day:00}T{second / 3_600:00}:{second / 60 % 60:00}:{second % 60:00}{CelTime.Fraction(Nanoseconds)}Z");
    }

    private Int128 TotalNanoseconds => ((Int128)UnixSeconds * NanosecondsPerSecond) + Nanoseconds;

    private static bool TryFraction(ref ReadOnlySpan<char> rest, out int nanoseconds)
    {
        nanoseconds = 0;
        if (rest.Length == 0 || rest[0] != '.')
        {
            return true;
        }

        int length = rest[1..].IndexOfAnyExceptInRange('0', '9');
        if (length is < 1 or > 9 || !Digits(rest[1..(length + 1)], out nanoseconds))
        {
            return false;
        }

        for (int place = length; place < 9; place++)
        {
            nanoseconds *= 10;
        }

        rest = rest[(length + 1)..];
        return true;
    }

    private static bool Digits(ReadOnlySpan<char> text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}

/// <summary>A length of time, as a signed 64-bit number of nanoseconds (292 years either way).</summary>
public sealed class CelDuration(long nanoseconds) : CelValue
{
    private static readonly System.Buffers.SearchValues<char> _decimalCharacters = System.Buffers.SearchValues.Create("0123456789.");

    /// <inheritdoc/>
    public override CelKind Kind => CelKind.Duration;

    /// <summary>The length in nanoseconds.</summary>
    public long Nanoseconds { get; } = nanoseconds;

    /// <summary>The duration of a .NET time span; null when it exceeds 292 years.</summary>
    public static CelDuration? TryOf(TimeSpan span) =>
        span.Ticks is > long.MaxValue / 100 or < long.MinValue / 100 ? null : new CelDuration(span.Ticks * 100);

    /// <summary>
    /// Reads text such as <c>1h30m</c>, <c>-1.5s</c>, <c>250ms</c>: signed decimals with the units h, m, s, ms, us, µs and ns;
    /// null when it is not that or out of range.
    /// </summary>
    public static CelDuration? TryParse(string text)
    {
        ReadOnlySpan<char> rest = text;
        bool negative = rest.StartsWith("-");
        if (negative || rest.StartsWith("+"))
        {
            rest = rest[1..];
        }

        if (rest.SequenceEqual("0"))
        {
            return new CelDuration(0);
        }

        if (rest.Length is 0 or > 128)
        {
            return null;
        }

        Int128 total = 0;
        while (rest.Length > 0)
        {
            if (!TryPart(ref rest, out Int128 part))
            {
                return null;
            }

            total += part;
        }

        total = negative ? -total : total;
        return total < long.MinValue || total > long.MaxValue ? null : new CelDuration((long)total);
    }

    /// <summary>The length in seconds with as many decimals as needed: <c>1.5s</c>.</summary>
    internal string ToText()
    {
        ulong magnitude = Nanoseconds < 0 ? (ulong)(-(Nanoseconds + 1)) + 1 : (ulong)Nanoseconds;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{(Nanoseconds < 0 ? "-" : "")}{magnitude / 1_000_000_000}{CelTime.Fraction((int)(magnitude % 1_000_000_000))}s");
    }

    private static bool TryPart(ref ReadOnlySpan<char> rest, out Int128 nanoseconds)
    {
        nanoseconds = 0;
        int length = rest.IndexOfAnyExcept(_decimalCharacters);
        if (length is <= 0 or > 40)
        {
            return false;
        }

        ReadOnlySpan<char> number = rest[..length];
        rest = rest[length..];
        int unitLength = rest.IndexOfAny(_decimalCharacters);
        ReadOnlySpan<char> unitName = unitLength < 0 ? rest : rest[..unitLength];
        long unit = unitName switch
        {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" or "µs" or "μs" => 1_000,
            "ns" => 1,
            _ => 0,
        };
        if (unit == 0 || !decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal amount)
            || amount > 10_000_000_000_000_000_000m)
        {
            return false;
        }

        decimal whole = decimal.Truncate(amount);
        nanoseconds = ((Int128)whole * unit) + (Int128)decimal.Truncate((amount - whole) * unit);
        rest = rest[unitName.Length..];
        return true;
    }
}

/// <summary>Calendar arithmetic on the proleptic Gregorian calendar, and time zones.</summary>
internal static class CelTime
{
    public static long FloorDivide(long dividend, long divisor) =>
        (dividend / divisor) - (dividend % divisor < 0 ? 1 : 0);

    /// <summary>Days from 1970-01-01 to a date.</summary>
    public static long DaysFromCivil(long year, int month, int day)
    {
        // Years start in March here, so that the leap day is the last of a year and months have a regular rhythm.
        long shifted = month <= 2 ? year - 1 : year;
        long era = FloorDivide(shifted, 400);
        long yearOfEra = shifted - (era * 400);
        long dayOfYear = (((153 * (month > 2 ? month - 3 : month + 9)) + 2) / 5) + day - 1;
        return (era * 146_097) + (yearOfEra * 365) + (yearOfEra / 4) - (yearOfEra / 100) + dayOfYear - 719_468;
    }

    /// <summary>The date of a number of days from 1970-01-01.</summary>
    public static (long Year, int Month, int Day) CivilFromDays(long days)
    {
        long shifted = days + 719_468;
        long era = FloorDivide(shifted, 146_097);
        long dayOfEra = shifted - (era * 146_097);
        long yearOfEra = (dayOfEra - (dayOfEra / 1_460) + (dayOfEra / 36_524) - (dayOfEra / 146_096)) / 365;
        long dayOfYear = dayOfEra - ((365 * yearOfEra) + (yearOfEra / 4) - (yearOfEra / 100));
        long monthFromMarch = ((5 * dayOfYear) + 2) / 153;
        int month = (int)(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9);
        return (yearOfEra + (era * 400) + (month <= 2 ? 1 : 0), month, (int)(dayOfYear - (((153 * monthFromMarch) + 2) / 5) + 1));
    }

    /// <summary>The decimals of a second, without trailing zeros: empty, or <c>.5</c>.</summary>
    public static string Fraction(int nanoseconds) =>
        nanoseconds == 0 ? "" : "." + nanoseconds.ToString("000000000", CultureInfo.InvariantCulture).TrimEnd('0');

    /// <summary>The seconds of an RFC 3339 offset (<c>Z</c>, <c>+01:00</c>); null when it is not one.</summary>
    public static int? TryOffsetSeconds(ReadOnlySpan<char> text) =>
        text is "Z" ? 0 : text.Length == 6 && text[0] is '+' or '-' ? TryClock(text[1..]) * (text[0] == '-' ? -1 : 1) : null;

    /// <summary>The seconds that local time is ahead of UTC in a zone at a time; null when the zone is not known.</summary>
    public static int? TryZoneOffsetSeconds(string zone, CelTimestamp time)
    {
        if (zone.Length is 0 or > 64)
        {
            return zone.Length == 0 ? 0 : null;
        }

        if (zone is "UTC" or "Z")
        {
            return 0;
        }

        if (zone[0] is '+' or '-' or (>= '0' and <= '9'))
        {
            return zone[0] is '+' or '-' ? TryClock(zone.AsSpan(1)) * (zone[0] == '-' ? -1 : 1) : TryClock(zone);
        }

        // These name what a machine has set, not a zone; and a path could leave the folder of zones.
        bool isPlain = zone.AsSpan().IndexOfAnyExcept(_zoneCharacters) < 0 && !zone.Contains("//", StringComparison.Ordinal);
        if (!isPlain || zone.StartsWith('/') || zone.EndsWith('/') || zone.Contains("local", StringComparison.OrdinalIgnoreCase)
            || !zone.Any(char.IsAsciiLetterUpper) || !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out TimeZoneInfo? found))
        {
            return null;
        }

        return (int)found.GetUtcOffset(DateTime.UnixEpoch.AddSeconds(time.UnixSeconds)).TotalSeconds;
    }

    private static readonly System.Buffers.SearchValues<char> _zoneCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/");

    private static int? TryClock(ReadOnlySpan<char> text) =>
        text.Length == 5 && text[2] == ':'
        && int.TryParse(text[..2], NumberStyles.None, CultureInfo.InvariantCulture, out int hours)
        && int.TryParse(text[3..], NumberStyles.None, CultureInfo.InvariantCulture, out int minutes)
        && hours <= 23 && minutes <= 59
            ? (hours * 3_600) + (minutes * 60)
            : null;
}
