using System.Diagnostics;
using System.Text.Json;

namespace Omium.Cli.Tests;

/// <summary>One <c>omium dev --demo</c> for a class of tests, on free ports and a directory of its own.</summary>
public sealed class DevServer : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private Process? _process;

    /// <summary>Working directory of the commands; the data directory is inside, where commands look for it.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("omium-cli-").FullName;

    /// <summary>The line it printed.</summary>
    public JsonElement Ready { get; private set; }

    /// <summary>Its data directory.</summary>
    public string DataDirectory => Path.Combine(Directory, ".omium", "data");

    /// <summary>Where it listens.</summary>
    public string Url => Ready.GetProperty("url").GetString()!;

    public async ValueTask InitializeAsync()
    {
        if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OMIUM_BINARY")))
        {
            await StartAsync();
        }
    }

    /// <summary>Starts it, also after <see cref="StopAsync"/>.</summary>
    public async Task StartAsync(IReadOnlyDictionary<string, string>? environment = null)
    {
        _process = Process.Start(OmiumProgram.Start(Directory, environment ?? new Dictionary<string, string>(), ["dev", "--demo", "--port", "0", "--json"]))!;
        _ = _process.StandardError.ReadToEndAsync();
        var line = await _process.StandardOutput.ReadLineAsync().WaitAsync(Limit);
        Ready = JsonElement.Parse(line ?? throw new InvalidOperationException("omium dev ended before it was ready"));
    }

    /// <summary>Ends it as ctrl-C would; answers its exit code and how long it took.</summary>
    public async Task<(int ExitCode, TimeSpan Took)> StopAsync()
    {
        var start = Stopwatch.GetTimestamp();
        using (var kill = Process.Start("kill", ["-TERM", _process!.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync();
        }

        await _process.WaitForExitAsync().WaitAsync(Limit);
        return (_process.ExitCode, Stopwatch.GetElapsedTime(start));
    }

    /// <summary>A command against it, found by its address alone: the key lies where commands look.</summary>
    public Task<Outcome> RunAsync(params string[] arguments) =>
        OmiumProgram.RunAsync(Directory, new Dictionary<string, string> { ["OMIUM_BASE_URL"] = Ready.ValueKind == JsonValueKind.Undefined ? "" : Url }, arguments);

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
