using System.Diagnostics;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Omium.Runtime.Effects.Mcp;

/// <summary>
/// A program that serves MCP over its standard input and output. It is started by the first call that needs it, serves all of them at once, and lives until it ends
/// by itself or this is disposed; its input is closed then, and what has not ended two seconds later is killed with all that it started. When Omium itself is
/// killed its input ends, too.
/// </summary>
internal sealed class McpProcess : IAsyncDisposable
{
    private const int ErrorCharactersMax = 500;
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SaysWithin = TimeSpan.FromSeconds(1);
    private readonly Process _process;
    private readonly LineBoundedStream _output;
    private readonly CancellationTokenSource _ended = new();
    private string _lastError = "";

    private McpProcess(Process process, long messageBytesMax)
    {
        _process = process;
        _output = new LineBoundedStream(process.StandardOutput.BaseStream, messageBytesMax);
        process.ErrorDataReceived += (_, line) => _lastError = line.Data is { Length: > 0 } said ? said : _lastError;
        process.Exited += (_, _) => Signal();
        process.EnableRaisingEvents = true;
        process.BeginErrorReadLine();
        if (process.HasExited)
        {
            Signal();
        }
    }

    /// <summary>The protocol, once spoken.</summary>
    public McpClient Client { get; private set; } = null!;

    /// <summary>Cancelled when the program has ended.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>True when it sent a message that is longer than may be.</summary>
    public bool IsTooLong => _output.IsPassed;


    /// <summary>Starts the program and speaks with it.</summary>
    /// <exception cref="McpStartException">It cannot be started, or does not speak the protocol.</exception>
    public static async Task<McpProcess> StartAsync(McpServerOptions options, long messageBytesMax, TimeProvider time)
    {
        Process process;
        try
        {
            process = Process.Start(Describe(options))!;
        }
        catch (Exception missing) when (missing is System.ComponentModel.Win32Exception or FileNotFoundException or InvalidOperationException)
        {
            throw new McpStartException($"The MCP server '{options.Name}' cannot be started: {missing.Message}");
        }

        var started = new McpProcess(process, messageBytesMax);
        try
        {
            var transport = new StreamClientTransport(process.StandardInput.BaseStream, started._output);
            started.Client = await McpClient.CreateAsync(transport, McpToolClient.ClientOptions(time), cancellationToken: started.Ended);
            return started;
        }
        catch (Exception failed)
        {
            var why = await started.WhyAsync();
            await started.DisposeAsync();
            throw new McpStartException($"The MCP server '{options.Name}' does not answer: {failed.Message} ({why})");
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (Client is { } client)
            {
                await client.DisposeAsync();
            }

            _process.StandardInput.Close();
            await _process.WaitForExitAsync().WaitAsync(EndsWithin);
        }
        catch (Exception stuck) when (stuck is TimeoutException or IOException or InvalidOperationException)
        {
            Kill();
        }

        _process.Dispose();
        _ended.Dispose();
    }

    /// <summary>What it said last, for people; of one that has ended, when all that it said has come.</summary>
    public async Task<string> WhyAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(SaysWithin).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _lastError is { Length: > 0 } said ? $"it said: {(said.Length > ErrorCharactersMax ? said[..ErrorCharactersMax] : said)}" : "it said nothing";
    }

    /// <summary>Ends it at once; nothing is asked of it any more.</summary>
    public void Kill()
    {
        Signal();
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception gone) when (gone is InvalidOperationException or System.ComponentModel.Win32Exception or NotSupportedException)
        {
            // It has ended meanwhile: that is what was wanted.
        }
    }

    private static ProcessStartInfo Describe(McpServerOptions options)
    {
        var start = new ProcessStartInfo(options.Command, options.Arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = options.Directory ?? "",
        };
        start.Environment.Clear();
        foreach (var (name, value) in StdioClientTransportOptions.GetDefaultEnvironmentVariables())
        {
            start.Environment[name] = value;
        }

        foreach (var (name, value) in options.Environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    private void Signal()
    {
        try
        {
            _ended.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It was disposed before it ended: nobody listens any more.
        }
    }
}

/// <summary>An MCP server cannot be spoken to: nothing was called.</summary>
internal sealed class McpStartException(string message) : Exception(message);
