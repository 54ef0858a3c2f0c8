namespace Omium.Contracts.Tenants;

/// <summary><c>GET /v1/me</c>. <paramref name="Credits"/>: whole credits that can still be used; absent where usage is not metered.</summary>
public sealed record MeView(string Tenant, string Environment, string KeyId, long? Credits, string Version);

/// <summary>Body of <c>POST /v1/keys</c>.</summary>
public sealed record CreateKeyRequest(string Name, string? Environment = null);

/// <summary>A key; <paramref name="Secret"/> is there only in the answer that created it.</summary>
public sealed record KeyView(string Id, string Name, string Environment, string Status, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt, string? Secret = null);

/// <summary><c>GET /v1/health-summary</c>.</summary>
public sealed record HealthSummary(
    IReadOnlyDictionary<string, long> ExecutionsByStatus, long OpenFailures, long OpenReviews, long Workflows)
{
    /// <summary>What a person should look at now, the oldest first; empty when all is well.</summary>
    public IReadOnlyList<HealthAlarm> Alarms { get; init; } = [];
}

/// <summary>Something is wrong with the installation, as opposed to a workflow. <paramref name="Code"/> is of the error catalogue.</summary>
/// <param name="Code">storage_full, storage_failed or execution_set_aside.</param>
/// <param name="Detail">What, for a person.</param>
/// <param name="Execution">The execution concerned; null when it is the whole installation.</param>
/// <param name="Since">Since when.</param>
public sealed record HealthAlarm(string Code, string Detail, string? Execution, DateTimeOffset Since);
