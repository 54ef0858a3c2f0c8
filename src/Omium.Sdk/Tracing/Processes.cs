using System.Diagnostics;
using System.Globalization;

namespace Omium.Tracing;

/// <summary>Processes of this machine, by the names that they give themselves: <c>machine/process id/random</c>.</summary>
internal static class Processes
{
    /// <summary>True for a process of this machine that is not there any more: its leases need not run out.</summary>
    public static bool IsGone(string owner)
    {
        if (owner.Split('/') is not [var machine, var number, _] || machine != Environment.MachineName || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            || id == Environment.ProcessId)
        {
            return false;
        }

        try
        {
            using var process = Process.GetProcessById(id);
            return process.HasExited;
        }
        catch (ArgumentException)
        {
            return true;
        }
        catch (Exception unknown) when (unknown is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
