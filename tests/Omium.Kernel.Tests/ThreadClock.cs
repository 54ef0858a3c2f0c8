using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Omium.Kernel.Tests;

/// <summary>
/// How long this thread has been on a processor: what others do to the machine meanwhile does not count. Where the system does not say, the time that passed.
/// </summary>
internal static class ThreadClock
{
    /// <summary>CLOCK_THREAD_CPUTIME_ID of Linux.</summary>
    private const int ThreadTime = 3;

    public static TimeSpan Now => OperatingSystem.IsLinux() && GetTime(ThreadTime, out var time) == 0
        ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0)
        : Stopwatch.GetElapsedTime(0);

    [DllImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct TimeSpec(nint Seconds, nint Nanoseconds);
}
