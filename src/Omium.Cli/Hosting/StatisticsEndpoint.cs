using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Omium.Cli.Hosting;

/// <summary>
/// <c>GET /v1/dev/statistics</c>, on the dev host only: what the store has counted since it was opened, for the benchmark and for the curious.
/// </summary>
internal static class StatisticsEndpoint
{
    /// <summary>Path of the endpoint.</summary>
    public const string Path = "/v1/dev/statistics";

    /// <summary>Maps it.</summary>
    public static void Map(IEndpointRouteBuilder endpoints, LocalPlatform platform, string key)
    {
        var expected = Encoding.ASCII.GetBytes($"Bearer {key}");
        endpoints.MapGet(Path, (RequestDelegate)(http =>
        {
            var given = Encoding.UTF8.GetBytes(http.Request.Headers.Authorization.ToString());
            if (CryptographicOperations.FixedTimeEquals(given, expected))
            {
                return WriteAsync(http, platform);
            }

            http.Response.Headers.WWWAuthenticate = "Bearer";
            return HostProblem.WriteAsync(http, "unauthenticated", "The statistics are shown to the key that `omium dev` printed.");
        }));
    }

    private static async Task WriteAsync(HttpContext http, LocalPlatform platform)
    {
        var counted = platform.Store.ReadStatistics();
        http.Response.ContentType = "application/json";
        await using var writer = new Utf8JsonWriter(http.Response.BodyWriter);
        writer.WriteStartObject();
        writer.WriteNumber("appends", counted.Appends);
        writer.WriteNumber("appends_repeated", counted.AppendsRepeated);
        writer.WriteNumber("append_conflicts", counted.AppendConflicts);
        writer.WriteNumber("operations", counted.Operations);
        writer.WriteNumber("operations_failed", counted.OperationsFailed);
        writer.WriteNumber("commits", counted.Commits);
        writer.WriteNumber("batch_operations_max", counted.BatchOperationsMax);
        writer.WriteStartArray("batch_sizes");
        foreach (var count in counted.BatchSizes)
        {
            writer.WriteNumberValue(count);
        }

        writer.WriteEndArray();
        writer.WriteNumber("checkpoints", counted.Checkpoints);
        writer.WriteNumber("wal_syncs", counted.WalSyncs);
        writer.WriteNumber("database_syncs", counted.DatabaseSyncs);
        writer.WriteNumber("resident_bytes", Environment.WorkingSet);
        writer.WriteNumber("managed_bytes", GC.GetTotalMemory(forceFullCollection: false));
        writer.WriteNumber("quarantined", platform.Engine.Quarantined.Count);
        writer.WriteStartArray("notifications");
        foreach (var notification in platform.Notifier.Kept)
        {
            writer.WriteStringValue(notification);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
