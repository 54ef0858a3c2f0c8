using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Cli.Commands;

namespace Omium.Cli.Bench;

/// <summary>Many event streams of one execution: from the request that makes an event to the last listener that has it.</summary>
internal sealed class ListenersBench(BenchServer server, int listeners, int rounds)
{
    public async Task<ListenersResult> MeasureAsync(CancellationToken cancellation)
    {
        using var http = new HttpClient { BaseAddress = server.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", server.Key);
        var execution = await StartWaitingAsync(http, cancellation);
        var request = Encoding.ASCII.GetBytes(
            $"GET /v1/executions/{execution}/stream HTTP/1.1\r\nHost: {server.Address.Authority}\r\nAuthorization: Bearer {server.Key}\r\n\r\n");
        var sockets = new List<BenchSocket>(listeners);
        try
        {
            for (var listener = 0; listener < listeners; listener++)
            {
                var socket = await BenchSocket.OpenAsync(server.Address, cancellation);
                sockets.Add(socket);
                await socket.SendAsync(request, cancellation);
                await UntilAsync(socket, "review.requested", cancellation);
            }

            var times = new List<double>(rounds);
            for (var round = 0; round < rounds; round++)
            {
                var told = round % 2 == 0 ? "execution.paused" : "execution.resumed";
                var waiting = sockets.Select(socket => UntilAsync(socket, told, cancellation)).ToArray();
                var start = Stopwatch.GetTimestamp();
                using var answer = await http.PostAsync($"v1/executions/{execution}/{(round % 2 == 0 ? "pause" : "resume")}", null, cancellation);
                Require(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(cancellation));
                await Task.WhenAll(waiting);
                times.Add(Percentiles.MsSince(start));
            }

            return new ListenersResult(listeners, rounds, Percentiles.Median(times), times.Max());
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    /// <summary>An execution that waits for a person, who never comes.</summary>
    private static async Task<string> StartWaitingAsync(HttpClient http, CancellationToken cancellation)
    {
        const string Spec = "omium: v0\nname: bench-waiting\nsteps:\n  - {id: ask, type: human_approval}\n";
        using var spec = new StringContent(Spec, Encoding.UTF8, "text/yaml");
        using var saved = await http.PostAsync("v1/workflows", spec, cancellation);
        Require(saved.IsSuccessStatusCode, await saved.Content.ReadAsStringAsync(cancellation));
        using var start = new StringContent("""{"workflow": "bench-waiting"}""", Encoding.UTF8, "application/json");
        using var started = await http.PostAsync("v1/executions", start, cancellation);
        Require(started.IsSuccessStatusCode, await started.Content.ReadAsStringAsync(cancellation));
        return JsonElement.Parse(await started.Content.ReadAsByteArrayAsync(cancellation)).GetProperty("id").GetString()!;
    }

    private static async Task UntilAsync(BenchSocket socket, string told, CancellationToken cancellation)
    {
        var word = Encoding.ASCII.GetBytes($"\"{told}\"");
        while (socket.Received.IndexOf(word) < 0)
        {
            await socket.ReceiveAsync(cancellation);
        }

        socket.Clear();
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new CommandFailedException(ExitCodes.Error, otherwise);
        }
    }
}
