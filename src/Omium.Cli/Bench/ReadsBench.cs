using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Cli.Commands;

namespace Omium.Cli.Bench;

/// <summary>
/// <c>GET /v1/executions/{id}</c> with a key, over many distinct ids in random order. Open loop: requests fall due at a fixed rate whatever the answers do,
/// and a time counts from when the request was due, so that a server that falls behind cannot hide it.
/// </summary>
internal sealed class ReadsBench(BenchServer server, ReadsOptions options)
{
    private readonly ConcurrentQueue<BenchSocket> _idle = new();
    private readonly ConcurrentQueue<double> _times = new();
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _inFlight;

    public async Task<ReadsResult> MeasureAsync(CancellationToken cancellation)
    {
        await server.SaveWorkflowAsync(cancellation);
        using (var load = new LoadGenerator(server))
        {
            await load.RunParallelAsync(options.Executions, Math.Min(options.Executions, 500), cancellation);
        }

        var requests = await RequestsAsync(cancellation);
        for (var connection = 0; connection < options.Connections; connection++)
        {
            _idle.Enqueue(await BenchSocket.OpenAsync(server.Address, cancellation));
        }

        await RunAsync(requests, options.WarmUp, cancellation);
        _times.Clear();
        var processorBefore = server.ProcessorTime;
        await RunAsync(requests, options.Duration, cancellation);
        var asked = _times.ToArray();
        var processor = server.ProcessorTime - processorBefore;
        while (_idle.TryDequeue(out var socket))
        {
            socket.Dispose();
        }

        return new ReadsResult(
            requests.Length, options.PerSecond, asked.Length / options.Duration.TotalSeconds, Percentiles.Median(asked), Percentiles.At(asked, 0.99),
            asked.Max(), processor.TotalMilliseconds / asked.Length);
    }

    private async Task RunAsync(byte[][] requests, TimeSpan duration, CancellationToken cancellation)
    {
        var count = (int)(duration.TotalSeconds * options.PerSecond);
        var random = new Random(1);
        var order = Enumerable.Range(0, count).Select(_ => requests[random.Next(requests.Length)]).ToArray();
        await Task.Factory.StartNew(() => Pace(order, cancellation), cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        while (Volatile.Read(ref _inFlight) > 0 && !_failed.Task.IsCompleted)
        {
            await Task.Delay(1, cancellation);
        }

        if (_failed.Task.IsFaulted)
        {
            await _failed.Task;
        }
    }

    /// <summary>On a thread of its own: every millisecond, what has fallen due by then is sent on whatever connection is idle.</summary>
    private void Pace(byte[][] order, CancellationToken cancellation)
    {
        var ticks = (double)Stopwatch.Frequency / options.PerSecond;
        var start = Stopwatch.GetTimestamp();
        var next = 0;
        while (next < order.Length && !_failed.Task.IsCompleted)
        {
            cancellation.ThrowIfCancellationRequested();
            while (next < order.Length && start + (long)(next * ticks) is var due && due <= Stopwatch.GetTimestamp() && _idle.TryDequeue(out var socket))
            {
                Interlocked.Increment(ref _inFlight);
                _ = AskAsync(socket, order[next++], due, cancellation);
            }

            Thread.Sleep(1);
        }
    }

    private async Task AskAsync(BenchSocket socket, byte[] request, long due, CancellationToken cancellation)
    {
        try
        {
            socket.Clear();
            await socket.SendAsync(request, cancellation);
            do
            {
                await socket.ReceiveAsync(cancellation);
            }
            while (!socket.HoldsWholeAnswer());

            if (!socket.Received.StartsWith("HTTP/1.1 200"u8))
            {
                throw new CommandFailedException(ExitCodes.Error, $"a read was refused: {Encoding.UTF8.GetString(socket.Received)}");
            }

            _times.Enqueue(Percentiles.MsSince(due));
            _idle.Enqueue(socket);
        }
        catch (Exception broken)
        {
            _failed.TrySetException(broken);
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    private async Task<byte[][]> RequestsAsync(CancellationToken cancellation)
    {
        using var http = new HttpClient { BaseAddress = server.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Key);
        var ids = new List<string>(options.Executions);
        var cursor = "";
        while (true)
        {
            var page = JsonElement.Parse(await http.GetByteArrayAsync($"v1/executions?limit=200{cursor}", cancellation));
            ids.AddRange(page.GetProperty("items").EnumerateArray().Select(row => row.GetProperty("id").GetString()!));
            if (!page.TryGetProperty("next_cursor", out var next))
            {
                return [.. ids.Select(id => Encoding.ASCII.GetBytes($"GET /v1/executions/{id} HTTP/1.1\r\nHost: {server.Address.Authority}\r\nAuthorization: Bearer {server.Key}\r\n\r\n"))];
            }

            cursor = $"&cursor={Uri.EscapeDataString(next.GetString()!)}";
        }
    }
}

/// <summary>What is read, and how hard.</summary>
internal sealed record ReadsOptions
{
    /// <summary>Distinct executions.</summary>
    public int Executions { get; init; } = 10_000;

    /// <summary>Requests that fall due in a second.</summary>
    public int PerSecond { get; init; } = 5_000;

    /// <summary>Connections; a request that finds none idle waits, and the wait counts.</summary>
    public int Connections { get; init; } = 64;

    /// <summary>Time before it counts.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time that counts.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(20);
}
