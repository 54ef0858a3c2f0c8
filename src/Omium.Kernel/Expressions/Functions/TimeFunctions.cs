namespace Omium.Kernel.Expressions;

/// <summary>Timestamps and durations.</summary>
/// <remarks>
/// A time zone is <c>UTC</c>, an offset such as <c>+01:00</c>, or an IANA name. Names depend on the time zone data of the machine:
/// governments change them, so an expression whose decision must be reproduced for years should use UTC or an offset.
/// </remarks>
internal static class TimeFunctions
{
    private const long Day = 86_400;

    public static void AddTo(FunctionTable table)
    {
        table.Global("timestamp", "timestamp -> timestamp", call => call.Arguments[0]);
        table.Global("timestamp", "int -> timestamp", call =>
            CelTimestamp.TryOf(call.Int(0), 0) ?? (CelValue)call.Fail($"{call.Int(0)} is out of the range of times"));
        table.Global("timestamp", "string -> timestamp", call =>
            CelTimestamp.TryParse(call.Text(0)) ?? (CelValue)call.Fail($"{CoreFunctions.Quote(call.Text(0))} is no RFC 3339 time in range"));
        table.Global("duration", "duration -> duration", call => call.Arguments[0]);
        table.Global("duration", "string -> duration", call =>
            CelDuration.TryParse(call.Text(0)) ?? (CelValue)call.Fail($"{CoreFunctions.Quote(call.Text(0))} is no duration in range"));

        Field(table, "getFullYear", (local, _) => CelTime.CivilFromDays(Days(local)).Year);
        Field(table, "getMonth", (local, _) => CelTime.CivilFromDays(Days(local)).Month - 1);
        Field(table, "getDate", (local, _) => CelTime.CivilFromDays(Days(local)).Day);
        Field(table, "getDayOfMonth", (local, _) => CelTime.CivilFromDays(Days(local)).Day - 1);
        Field(table, "getDayOfYear", (local, _) => Days(local) - CelTime.DaysFromCivil(CelTime.CivilFromDays(Days(local)).Year, 1, 1));
        Field(table, "getDayOfWeek", (local, _) => (((Days(local) + 4) % 7) + 7) % 7);
        Field(table, "getHours", (local, _) => SecondOfDay(local) / 3_600);
        Field(table, "getMinutes", (local, _) => SecondOfDay(local) / 60 % 60);
        Field(table, "getSeconds", (local, _) => SecondOfDay(local) % 60);
        Field(table, "getMilliseconds", (_, nanoseconds) => nanoseconds / 1_000_000);

        Length(table, "getHours", nanoseconds => nanoseconds / 3_600_000_000_000);
        Length(table, "getMinutes", nanoseconds => nanoseconds / 60_000_000_000);
        Length(table, "getSeconds", nanoseconds => nanoseconds / 1_000_000_000);
        Length(table, "getMilliseconds", nanoseconds => nanoseconds / 1_000_000 % 1_000);
    }

    private static void Field(FunctionTable table, string name, Func<long, int, long> read)
    {
        table.Member(name, "timestamp -> int", call =>
        {
            var time = (CelTimestamp)call.Arguments[0];
            return CelInt.Of(read(time.UnixSeconds, time.Nanoseconds));
        });
        table.Member(name, "timestamp string -> int", call =>
        {
            var time = (CelTimestamp)call.Arguments[0];
            return CelTime.TryZoneOffsetSeconds(call.Text(1), time) is { } offset
                ? CelInt.Of(read(time.UnixSeconds + offset, time.Nanoseconds))
                : call.Fail($"{CoreFunctions.Quote(call.Text(1))} is no known time zone");
        });
    }

    private static void Length(FunctionTable table, string name, Func<long, long> read) =>
        table.Member(name, "duration -> int", call => CelInt.Of(read(((CelDuration)call.Arguments[0]).Nanoseconds)));

    private static long Days(long seconds) => CelTime.FloorDivide(seconds, Day);

    private static long SecondOfDay(long seconds) => seconds - (Days(seconds) * Day);
}
