using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Omium.Cli.Client;
using Omium.Cli.Commands;

namespace Omium.Cli.Bench;

/// <summary>
/// Starts runs and waits for their end, one connection for each run in flight. It speaks just enough HTTP/1.1 for this one request: on a small
/// machine a general client would take as much of the processor as the server that is measured.
/// </summary>
internal sealed class LoadGenerator(BenchServer server) : IDisposable
{
    /// <summary>Name of the workflow.</summary>
    public const string Workflow = "bench-five-steps";

    private readonly byte[] _request = Request(server);
    private readonly ConcurrentQueue<Connection> _idle = new();
    private readonly ConcurrentQueue<string> _sample = new();

    /// <summary>Ids of the last runs, at most 20: to be read back from the log.</summary>
    public IReadOnlyCollection<string> Sample => _sample;

    /// <summary>Runs one after another; the time of each in milliseconds.</summary>
    public async Task<List<double>> RunSequentialAsync(int runs, CancellationToken cancellation)
    {
        var times = new List<double>(runs);
        var connection = await TakeAsync(cancellation);
        for (var i = 0; i < runs; i++)
        {
            var start = Stopwatch.GetTimestamp();
            Keep(await connection.RunAsync(_request, cancellation));
            times.Add(Percentiles.MsSince(start));
        }

        _idle.Enqueue(connection);
        return times;
    }

    /// <summary>Runs with so many in flight; the time of all in seconds. Connections are made before the clock starts.</summary>
    public async Task<double> RunParallelAsync(int runs, int inFlight, CancellationToken cancellation)
    {
        var connections = new List<Connection>();
        while (connections.Count < inFlight)
        {
            connections.Add(await TakeAsync(cancellation));
        }

        var left = runs;
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(connections.Select(async connection =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                Keep(await connection.RunAsync(_request, cancellation));
            }
        }));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        connections.ForEach(_idle.Enqueue);
        return seconds;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_idle.TryDequeue(out var connection))
        {
            connection.Dispose();
        }
    }

    private static byte[] Request(BenchServer server)
    {
        var body = $$$"""{"workflow":"{{{Workflow}}}","input":{}}""";
        return Encoding.ASCII.GetBytes(
            $"POST /v1/executions HTTP/1.1\r\nHost: {server.Address.Authority}\r\nAuthorization: Bearer {server.Key}\r\nPrefer: wait=30\r\n"
            + $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
    }

    private async Task<Connection> TakeAsync(CancellationToken cancellation) =>
        _idle.TryDequeue(out var known) ? known : await Connection.OpenAsync(server.Address, cancellation);

    private void Keep(string execution)
    {
        _sample.Enqueue(execution);
        if (_sample.Count > 20)
        {
            _sample.TryDequeue(out _);
        }
    }

    private sealed class Connection(Socket socket) : IDisposable
    {
        private readonly byte[] _buffer = new byte[64 * 1024];

        public static async Task<Connection> OpenAsync(Uri address, CancellationToken cancellation)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Parse(address.Host), address.Port, cancellation);
            return new Connection(socket);
        }

        /// <summary>One run; answers its id. Whatever is not a succeeded run ends the benchmark.</summary>
        public async Task<string> RunAsync(byte[] request, CancellationToken cancellation)
        {
            await socket.SendAsync(request, cancellation);
            var length = 0;
            while (!IsWhole(_buffer.AsSpan(0, length)))
            {
                var count = length == _buffer.Length ? 0 : await socket.ReceiveAsync(_buffer.AsMemory(length), cancellation);
                length = count > 0 ? length + count : throw new IOException("the server closed the connection, or its answer is too long");
            }

            return IdOf(_buffer.AsSpan(0, length));
        }

        public void Dispose() => socket.Dispose();

        /// <summary>Both framings of RFC 9112 section 6 that a server may choose: a length, or chunks up to the empty one.</summary>
        private static bool IsWhole(ReadOnlySpan<byte> answer)
        {
            var headEnd = answer.IndexOf("\r\n\r\n"u8);
            if (headEnd < 0)
            {
                return false;
            }

            var head = answer[..(headEnd + 2)];
            var lengthAt = head.IndexOf("Content-Length: "u8);
            if (lengthAt < 0)
            {
                return answer.EndsWith("\r\n0\r\n\r\n"u8);
            }

            var digits = head[(lengthAt + "Content-Length: ".Length)..];
            return int.TryParse(digits[..digits.IndexOf((byte)'\r')], out var bytes) && answer.Length - headEnd - 4 >= bytes;
        }

        private static string IdOf(ReadOnlySpan<byte> answer)
        {
            var idAt = answer.IndexOf("\"id\":\"exe_"u8);
            if (!answer.StartsWith("HTTP/1.1 201"u8) || answer.IndexOf("\"status\":\"succeeded\""u8) < 0 || idAt < 0)
            {
                throw new CommandFailedException(ExitCodes.Error, $"a run did not succeed: {Encoding.UTF8.GetString(answer)}");
            }

            var id = answer[(idAt + "\"id\":\"".Length)..];
            return Encoding.ASCII.GetString(id[..id.IndexOf((byte)'"')]);
        }
    }
}
