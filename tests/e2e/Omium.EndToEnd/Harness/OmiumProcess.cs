using System.Diagnostics;

namespace Omium.EndToEnd.Harness;

/// <summary><c>omium dev</c> as a process of its own on a data directory; it can be killed and started again on the same directory.</summary>
internal sealed class OmiumProcess : IAsyncDisposable
{
    private static readonly TimeSpan ReadyMax = TimeSpan.FromSeconds(60); // A machine under load; how long a start takes is asserted where it is the subject.
    private readonly string[] _arguments;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly List<string> _errorsOfTheDead = [];
    private ChildProcess? _process;
    private volatile TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private OmiumProcess(string dataDirectory, IReadOnlyDictionary<string, string> environment, IEnumerable<string> options)
    {
        DataDirectory = dataDirectory;
        _environment = environment;
        _arguments = ["dev", "--port", "0", "--data", dataDirectory, "--json", .. options];
    }

    /// <summary>Where it listens now; another address after each start.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>The API key of the installation; the same after each start.</summary>
    public string Key { get; private set; } = null!;

    /// <summary>The line that told that it is ready.</summary>
    public JsonObject Announced { get; private set; } = null!;

    /// <summary>Data directory.</summary>
    public string DataDirectory { get; }

    /// <summary>From the start of the process to its line, in milliseconds.</summary>
    public double StartMs { get; private set; }

    /// <summary>The process that runs now.</summary>
    public ChildProcess Process => _process ?? throw new InvalidOperationException("omium is not running.");

    /// <summary>Done while a server runs that said it is ready.</summary>
    public Task Ready => _ready.Task;

    /// <summary>Starts the platform on a data directory.</summary>
    public static async Task<OmiumProcess> StartAsync(string dataDirectory, IReadOnlyDictionary<string, string> environment, params string[] options)
    {
        var omium = new OmiumProcess(dataDirectory, environment, options);
        await omium.StartAgainAsync();
        return omium;
    }

    /// <summary>SIGKILL, as a power cut ends a program: whoever asks from now on waits for the next start.</summary>
    public void KillHard()
    {
        _ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Process.KillHard();
    }

    /// <summary>SIGTERM; the exit code, or null when it did not end in time.</summary>
    public Task<int?> TerminateAsync(TimeSpan timeout)
    {
        _ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Process.Terminate();
        return Process.WaitForExitAsync(timeout);
    }

    /// <summary>Starts it on the same data directory.</summary>
    public async Task StartAgainAsync()
    {
        if (_process is { } dead)
        {
            _errorsOfTheDead.Add(dead.Errors);
            await dead.DisposeAsync();
        }

        var clock = Stopwatch.StartNew();
        _process = ChildProcess.Start("omium dev", _arguments, _environment);
        var line = await _process.ReadLineAsync(line => line.StartsWith('{'), ReadyMax);
        StartMs = clock.Elapsed.TotalMilliseconds;
        Announced = JsonNode.Parse(line)!.AsObject();
        Address = new Uri((string)Announced["url"]!);
        Key = (string)Announced["key"]!;
        _ready.SetResult();
    }

    /// <summary>Everything that its incarnations wrote to standard error.</summary>
    public string Errors => string.Join("--- ended, started again ---\n", [.. _errorsOfTheDead, _process?.Errors ?? ""]);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            await process.DisposeAsync();
        }
    }
}
