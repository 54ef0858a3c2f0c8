using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Omium.Conformance.Azure;

/// <summary>
/// The storage emulator as a process of its own, on free ports and with a data folder of its own. One serves the whole run of the suites; each
/// test has tables of its own in it.
/// </summary>
internal sealed class AzuriteServer : IDisposable
{
    private static readonly Lazy<AzuriteServer> Started = new(StartShared);
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(60);
    private readonly Process process;
    private readonly string directory;

    private AzuriteServer(Process process, string directory, int blobPort, int tablePort) =>
        (this.process, this.directory, BlobPort, TablePort) = (process, directory, blobPort, tablePort);

    public int BlobPort { get; }

    public int TablePort { get; }

    /// <summary>The one of this run; starts with the first test that needs it. Skips the test where it is not installed.</summary>
    public static AzuriteServer Shared
    {
        get
        {
            Assert.SkipWhen(Script() is null, "Azurite is not installed: `./omium test` installs it (npm ci in tests/azurite).");
            return Started.Value;
        }
    }

    /// <summary>The key is the emulator's own, published with it.</summary>
    public static string ConnectionString(int blobPort, int tablePort) =>
        "AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
        + $"BlobEndpoint=http://127.0.0.1:{blobPort}/devstoreaccount1;TableEndpoint=http://127.0.0.1:{tablePort}/devstoreaccount1;";

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit();
        }

        process.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static AzuriteServer StartShared()
    {
        var server = Start();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.Dispose();
        return server;
    }

    private static AzuriteServer Start()
    {
        var directory = Directory.CreateTempSubdirectory("omium-azurite-").FullName;
        var (blobPort, queuePort, tablePort) = (FreePort(), FreePort(), FreePort());
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[]
        {
            Script()!, "--silent", "--disableTelemetry", "--location", directory,
            "--blobPort", $"{blobPort}", "--queuePort", $"{queuePort}", "--tablePort", $"{tablePort}",
        })
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start)!;
        var errors = new List<string>();
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) => errors.Add(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var server = new AzuriteServer(process, directory, blobPort, tablePort);
        if (Answers(blobPort, process) && Answers(tablePort, process))
        {
            return server;
        }

        server.Dispose();
        throw new InvalidOperationException($"Azurite did not start: {string.Join('\n', errors)}");
    }

    private static bool Answers(int port, Process process)
    {
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < StartMax && !process.HasExited; Thread.Sleep(20))
        {
            try
            {
                using var client = new TcpClient();
                client.Connect(IPAddress.Loopback, port);
                return true;
            }
            catch (SocketException)
            {
                // Not yet.
            }
        }

        return false;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string? Script()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            var script = Path.Combine(directory.FullName, "tests", "azurite", "node_modules", "azurite", "dist", "src", "azurite.js");
            if (File.Exists(script))
            {
                return script;
            }
        }

        return null;
    }
}
