using System.Globalization;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;

namespace Omium.EndToEnd.Harness;

/// <summary>The records of an execution as they are recorded (server-sent events); taken up again where it broke, on the next server too.</summary>
internal sealed class EventStream(OmiumProcess server, string execution)
{
    /// <summary>Records after <paramref name="seq"/>, each once and in order, until the server says that there will be no more.</summary>
    public async IAsyncEnumerable<JsonNode> ReadAsync(long seq, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        while (true)
        {
            await server.Ready.WaitAsync(cancellation);
            using var reader = await TryOpenAsync(http, seq, cancellation);
            var broken = reader is null;
            while (!broken)
            {
                var (record, state) = await TryReadAsync(reader!, cancellation);
                if (state == Reading.Ended)
                {
                    yield break;
                }

                broken = state == Reading.Broken;
                if (record is not null)
                {
                    var next = (long)record["seq"]!;
                    Assert.True(next == seq + 1, $"The stream leaped from record {seq} to {next}.");
                    seq = next;
                    yield return record;
                }
            }
        }
    }

    private async Task<StreamReader?> TryOpenAsync(HttpClient http, long seq, CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Address, $"/v1/executions/{execution}/stream"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", server.Key);
        if (seq > 0)
        {
            request.Headers.Add("Last-Event-ID", seq.ToString(CultureInfo.InvariantCulture));
        }

        try
        {
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            Assert.True(response.IsSuccessStatusCode, $"The stream was answered {(int)response.StatusCode}.");
            Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
            return new StreamReader(await response.Content.ReadAsStreamAsync(cancellation));
        }
        catch (Exception refused) when (refused is HttpRequestException or IOException)
        {
            return null;
        }
    }

    private static async Task<(JsonNode? Record, Reading State)> TryReadAsync(StreamReader reader, CancellationToken cancellation)
    {
        string? name = null, data = null;
        try
        {
            while (await reader.ReadLineAsync(cancellation) is { } line)
            {
                if (line.Length == 0 && data is not null)
                {
                    return name is null or "record" ? (JsonNode.Parse(data), Reading.Open) : (null, Reading.Open);
                }

                if (line.StartsWith("event:", StringComparison.Ordinal))
                {
                    name = line[6..].Trim();
                }
                else if (line.StartsWith("data:", StringComparison.Ordinal))
                {
                    data += line[5..].TrimStart();
                }
            }

            return (null, Reading.Ended);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            return (null, Reading.Broken);
        }
    }

    private enum Reading
    {
        Open,
        Ended,
        Broken,
    }
}
