using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Omium.Cli.Bench;

/// <summary>What the machine itself can do, asked without Omium in between.</summary>
internal static partial class Machine
{
    private const int ProbeBytes = 8 * 1024, ProbeFileBytes = 4 * 1024 * 1024, SignalTerminate = 15;

    /// <summary>The facts.</summary>
    public static MachineFacts Facts => new(Environment.ProcessorCount, RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription);

    /// <summary>Times of one write and fdatasync each, over a file that is there already, as a write-ahead log in use is. Milliseconds.</summary>
    public static List<double> ProbeSyncs(string directory, int count)
    {
        var path = Path.Combine(directory, "probe");
        var times = new List<double>(count);
        try
        {
            using var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
            RandomAccess.Write(file, new byte[ProbeFileBytes], 0);
            Sync(file);
            var block = new byte[ProbeBytes];
            for (var i = 0; i < count; i++)
            {
                var start = Stopwatch.GetTimestamp();
                RandomAccess.Write(file, block, (long)i * ProbeBytes % ProbeFileBytes);
                Sync(file);
                times.Add(Percentiles.MsSince(start));
            }
        }
        finally
        {
            File.Delete(path);
        }

        return times;
    }

    /// <summary>Asks a process to end, as ctrl-C in another terminal would.</summary>
    public static void Terminate(Process process)
    {
        if (OperatingSystem.IsWindows())
        {
            process.Kill();
        }
        else
        {
            _ = SendSignal(process.Id, SignalTerminate);
        }
    }

    private static void Sync(SafeFileHandle file)
    {
        if (OperatingSystem.IsWindows())
        {
            RandomAccess.FlushToDisk(file);
        }
        else if (SyncData(file) != 0)
        {
            throw new IOException($"fdatasync failed: error {Marshal.GetLastPInvokeError()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int SyncData(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int processId, int signal);
}
