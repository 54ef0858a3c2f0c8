using System.Diagnostics;
using System.Text.Json;

namespace Omium.Sdk.Tests;

/// <summary>One <c>omium dev --demo</c> for a class of tests, on free ports and a directory of its own. Without a program to start the tests are skipped.</summary>
public sealed class DevServer : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string _directory = Directory.CreateTempSubdirectory("omium-sdk-").FullName;
    private Process? _process;
    private JsonElement _ready;

    /// <summary>Where it listens.</summary>
    public Uri Url => new(Ready.GetProperty("url").GetString()!);

    /// <summary>Its key.</summary>
    public string Key => Ready.GetProperty("key").GetString()!;

    /// <summary>Where effects are counted.</summary>
    public Uri Receiver => new(Ready.GetProperty("receiver").GetString()!);

    private JsonElement Ready
    {
        get
        {
            Assert.SkipWhen(_process is null, "OMIUM_BINARY is not set: it names the published omium (./omium test sets it).");
            return _ready;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("OMIUM_BINARY") is not { Length: > 0 } binary)
        {
            return;
        }

        var start = new ProcessStartInfo(binary, ["dev", "--demo", "--no-console", "--port", "0", "--json"])
        {
            WorkingDirectory = _directory, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        };
        start.Environment["OMIUM_WORKER_LEASE_MS"] = "2000";
        start.Environment["XDG_CONFIG_HOME"] = _directory;
        _process = Process.Start(start)!;
        _ = _process.StandardError.ReadToEndAsync();
        _ready = JsonElement.Parse(await _process.StandardOutput.ReadLineAsync().WaitAsync(Limit) ?? throw new InvalidOperationException("omium dev ended before it was ready"));
    }

    /// <summary>A client of it that waits for nobody.</summary>
    public OmiumClient Client(Compensations? compensations = null, Action<OmiumOptions>? more = null)
    {
        var options = new OmiumOptions { BaseUrl = Url, ApiKey = Key, WaitForPerson = TimeSpan.Zero, Tell = _ => { } };
        more?.Invoke(options);
        return new OmiumClient(options, compensations);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
