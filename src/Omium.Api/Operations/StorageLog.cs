using Microsoft.Extensions.Logging;
using Omium.Runtime.Executions;

namespace Omium.Api.Operations;

/// <summary>
/// Tells who reads the log that the store refuses what is written, once when it begins and once when it ends. Requests that are refused meanwhile are
/// answered and write no lines: a full disk is not to be filled with lines about it.
/// </summary>
internal static partial class StorageLog
{
    public static void Attach(StorageWatch watch, ILogger logger) => watch.Changed += alarm =>
    {
        if (alarm is null)
        {
            LogTaken(logger);
        }
        else
        {
            LogRefused(logger, alarm.Code, alarm.Detail);
        }
    };

    [LoggerMessage(3003, LogLevel.Error, "The store takes no records ({Code}): {Detail} Reads are answered; what waits goes on when it takes them again")]
    private static partial void LogRefused(ILogger logger, string code, string detail);

    [LoggerMessage(3004, LogLevel.Warning, "The store takes records again")]
    private static partial void LogTaken(ILogger logger);
}
