using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Omium.Runtime.Effects;

namespace Omium.Runtime.Workers;

/// <summary>How workers are served. Section <c>worker</c>, or <c>OMIUM_WORKER_*</c> in the environment.</summary>
public sealed record WorkerOptions
{
    /// <summary>Time between two heartbeats after which a worker counts as lost, milliseconds. Default 30,000.</summary>
    [Range(100, 3_600_000)]
    public long LeaseMs { get; init; } = 30_000;

    /// <summary>Reads the options; what is absent keeps its default, what is out of range is an error at start.</summary>
    /// <exception cref="InvalidOperationException">A value cannot be read or is out of range; the message names it.</exception>
    public static WorkerOptions From(IConfiguration configuration)
    {
        var defaults = new WorkerOptions();
        return new() { LeaseMs = new OptionReader(configuration, "worker", "OMIUM_WORKER").Long("lease_ms", defaults.LeaseMs, 100, 3_600_000) };
    }
}
