using System.Text.Json;
using Omium.Contracts;
using Omium.Contracts.Executions;

namespace Omium.Api.Tests;

/// <summary>Reads event streams.</summary>
internal static class Streams
{
    /// <summary>Records from a stream until the server ends it.</summary>
    public static Task<List<EventRecord>> UntilEndedAsync(ApiHost host, string execution, string? lastEventId = null) => ReadAsync(host, execution, lastEventId, null);

    /// <summary>Records from a stream, behind one where that is named, up to the first that holds an event of this type.</summary>
    public static Task<List<EventRecord>> UntilAsync(ApiHost host, string execution, string type, string? lastEventId = null) => ReadAsync(host, execution, lastEventId, type);

    private static async Task<List<EventRecord>> ReadAsync(ApiHost host, string execution, string? lastEventId, string? until)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/executions/{execution}/stream");
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        using var response = await host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var records = new List<EventRecord>();
        string? id = null;
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                id = line[4..];
            }
            else if (line.StartsWith("data: {\"seq\"", StringComparison.Ordinal))
            {
                var record = JsonSerializer.Deserialize(line[6..], ContractJson.Default.EventRecord)!;
                Assert.Equal(id, record.Seq.ToString(System.Globalization.CultureInfo.InvariantCulture));
                records.Add(record);
                if (until is not null && record.Events.Any(happened => happened.GetProperty("type").GetString() == until))
                {
                    break;
                }
            }
        }

        return records;
    }
}
