using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Omium.EndToEnd.Harness;

/// <summary>A process that the test started: its output is kept, and it never outlives the test.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(5);
    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private readonly Task _errorReader;
    private Task _outputReader = Task.CompletedTask;

    private ChildProcess(string name, Process process)
    {
        (Name, _process) = (name, process);
        _errorReader = DrainAsync(process.StandardError, _errors);
    }

    /// <summary>Name for messages.</summary>
    public string Name { get; }

    /// <summary>Process id.</summary>
    public int Id => _process.Id;

    /// <summary>True once it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>What it has written to standard error so far.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString();
            }
        }
    }

    /// <summary>Starts the published program with arguments, and with a few variables beside the environment of the test.</summary>
    public static ChildProcess Start(string name, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(Surroundings.Binary, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var variable in start.Environment.Keys.Where(key => key.StartsWith("OMIUM_MODEL", StringComparison.Ordinal) || key.StartsWith("OMIUM_TOOLS", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(variable); // What the machine is set to must not colour a test.
        }

        foreach (var (variable, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[variable] = value;
        }

        return new ChildProcess(name, Process.Start(start) ?? throw new InvalidOperationException($"{name} did not start."));
    }

    /// <summary>The first line of standard output that satisfies <paramref name="wanted"/>; what follows is read and dropped.</summary>
    public async Task<string> ReadLineAsync(Func<string, bool> wanted, TimeSpan timeout) => (await ReadLinesAsync(wanted, timeout))[^1];

    /// <summary>All lines up to the first that satisfies <paramref name="isLast"/>.</summary>
    public async Task<IReadOnlyList<string>> ReadLinesAsync(Func<string, bool> isLast, TimeSpan timeout)
    {
        using var limit = new CancellationTokenSource(timeout);
        var lines = new List<string>();
        try
        {
            while (await _process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                lines.Add(line);
                if (isLast(line))
                {
                    _outputReader = DrainAsync(_process.StandardOutput, null);
                    return lines;
                }
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{Name} did not say what was awaited within {timeout.TotalSeconds} s. Its standard error:\n{Errors}");
        }

        await _process.WaitForExitAsync();
        await _errorReader;
        throw new InvalidOperationException($"{Name} ended with exit code {_process.ExitCode} before it was ready. Its standard error:\n{Errors}");
    }

    /// <summary>SIGKILL: nothing of the process runs any more when this returns.</summary>
    public void KillHard()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>SIGTERM.</summary>
    public void Terminate()
    {
        if (_process.HasExited)
        {
            return;
        }

        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Waits for the end; the exit code, or null when it did not end in time.</summary>
    public async Task<int?> WaitForExitAsync(TimeSpan timeout)
    {
        using var limit = new CancellationTokenSource(timeout);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
            await _errorReader;
            return _process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Resident memory in bytes, as the kernel counts it.</summary>
    public long ResidentBytes()
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return 1_024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Terminate();
        if (await WaitForExitAsync(EndMax) is null)
        {
            KillHard();
        }

        await _errorReader;
        await _outputReader;
        _process.Dispose();
    }

    private static async Task DrainAsync(StreamReader reader, StringBuilder? kept)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            if (kept is not null)
            {
                lock (kept)
                {
                    kept.AppendLine(line);
                }
            }
        }
    }
}
