using System.Runtime.InteropServices;

namespace Omium.Embedded.Storage;

/// <summary>What the counts of one day look like as bytes: three numbers for each of its hours; and times: two for each row.</summary>
internal static class CountDay
{
    /// <summary>Milliseconds of an hour and of a day (UTC), and the hours of a day.</summary>
    public const long HourMs = 3_600_000, DayMs = Hours * HourMs;

    /// <summary>Hours of a day.</summary>
    public const int Hours = 24;

    /// <summary>Times of one part: four parts to a page, above which SQLite would give each a page of its own. A day with many recoveries rewrites its last part only.</summary>
    public const int PartTimesMax = 50;

    private const int HourNumbers = 3, TimeNumbers = 2;

    /// <summary>The begin of the day that a time lies in.</summary>
    public static long Of(long unixMs) => Floor(unixMs, DayMs);

    /// <summary>The begin of the hour that a time lies in.</summary>
    public static long HourOf(long unixMs) => Floor(unixMs, HourMs);

    /// <summary>The counts of the hours as they are stored.</summary>
    public static byte[] BytesOf(ReadOnlySpan<HourCount> hours)
    {
        var numbers = new long[hours.Length * HourNumbers];
        for (var hour = 0; hour < hours.Length; hour++)
        {
            (numbers[hour * HourNumbers], numbers[(hour * HourNumbers) + 1], numbers[(hour * HourNumbers) + 2]) = hours[hour];
        }

        return MemoryMarshal.AsBytes<long>(numbers).ToArray();
    }

    /// <summary>Reads stored counts.</summary>
    public static void Read(ReadOnlySpan<byte> bytes, Span<HourCount> hours)
    {
        var numbers = MemoryMarshal.Cast<byte, long>(bytes);
        for (var hour = 0; hour < hours.Length; hour++)
        {
            hours[hour] = new HourCount(numbers[hour * HourNumbers], numbers[(hour * HourNumbers) + 1], numbers[(hour * HourNumbers) + 2]);
        }
    }

    /// <summary>The times as they are stored.</summary>
    public static byte[] BytesOf(List<RowTime> times)
    {
        var numbers = new long[times.Count * TimeNumbers];
        for (var place = 0; place < times.Count; place++)
        {
            (numbers[place * TimeNumbers], numbers[(place * TimeNumbers) + 1]) = times[place];
        }

        return MemoryMarshal.AsBytes<long>(numbers).ToArray();
    }

    /// <summary>Reads stored times.</summary>
    public static List<RowTime> ReadTimes(ReadOnlySpan<byte> bytes)
    {
        var numbers = MemoryMarshal.Cast<byte, long>(bytes);
        var times = new List<RowTime>(numbers.Length / TimeNumbers);
        for (var place = 0; place < numbers.Length; place += TimeNumbers)
        {
            times.Add(new RowTime(numbers[place], numbers[place + 1]));
        }

        return times;
    }

    /// <summary>Adds the durations of the stored times that lie in a time.</summary>
    public static void AddDurations(ReadOnlySpan<byte> bytes, long fromUnixMs, long toUnixMs, List<long> durations)
    {
        var numbers = MemoryMarshal.Cast<byte, long>(bytes);
        for (var place = 0; place < numbers.Length; place += TimeNumbers)
        {
            if (numbers[place] >= fromUnixMs && numbers[place] < toUnixMs)
            {
                durations.Add(numbers[place + 1]);
            }
        }
    }

    private static long Floor(long unixMs, long span) => unixMs - (((unixMs % span) + span) % span);
}

/// <summary>Rows of one sort that were created in one hour.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="Ended">Of them, those that have ended.</param>
/// <param name="DurationMs">Sum of the times from creation to end of those.</param>
internal readonly record struct HourCount(long Rows, long Ended, long DurationMs)
{
    public static HourCount operator +(HourCount left, HourCount right) => new(left.Rows + right.Rows, left.Ended + right.Ended, left.DurationMs + right.DurationMs);
}

/// <summary>A row that has ended.</summary>
/// <param name="CreatedUnixMs">Its creation.</param>
/// <param name="DurationMs">The time from there to its end.</param>
internal readonly record struct RowTime(long CreatedUnixMs, long DurationMs);
