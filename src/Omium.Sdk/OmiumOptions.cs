using System.Text.Json;

namespace Omium;

/// <summary>Where Omium is, with which key, and how values are recorded.</summary>
public sealed class OmiumOptions
{
    /// <summary>Address before <c>/v1</c>. Default: <c>OMIUM_BASE_URL</c>, the configuration file, <c>http://127.0.0.1:7600</c>.</summary>
    public Uri? BaseUrl { get; set; }

    /// <summary>Key. Default: <c>OMIUM_API_KEY</c>, the configuration file, the key of an <c>omium dev</c> in this directory.</summary>
    public string? ApiKey { get; set; }

    /// <summary>How long a step stays this process's own without a sign of life, 100 ms to an hour. Default 30 s.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a person is waited for. Null (default): as long as it takes. Then <see cref="NeedsPersonException"/>.</summary>
    public TimeSpan? WaitForPerson { get; set; }

    /// <summary>How long a server that does not answer is asked again, within a run. Default 60 s.</summary>
    public TimeSpan ServerPatience { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How values become JSON and come back. Default: snake_case members, read whatever their case, so that agents in other languages read the same.</summary>
    public JsonSerializerOptions Json { get; set; } = new(JsonSerializerOptions.Default)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, PropertyNameCaseInsensitive = true,
    };

    /// <summary>The clock of leases and waits.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>Told what a person who watches the program should know: that it waits for somebody, that something cannot be undone here. Default: standard error.</summary>
    public Action<string> Tell { get; set; } = static line => Console.Error.WriteLine($"omium: {line}");
}
