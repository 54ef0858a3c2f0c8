namespace Omium.Contracts.Tenants;

/// <summary><c>GET /v1/me</c>. <paramref name="Credits"/> is null where usage is not metered (a local installation).</summary>
public sealed record MeView(string Tenant, string Environment, string KeyId, long? Credits, string Version);

/// <summary>Body of <c>POST /v1/keys</c>.</summary>
public sealed record CreateKeyRequest(string Name, string? Environment = null);

/// <summary>A key; <paramref name="Secret"/> is there only in the answer that created it.</summary>
public sealed record KeyView(string Id, string Name, string Environment, string Status, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt, string? Secret = null);

/// <summary><c>GET /v1/health-summary</c>.</summary>
public sealed record HealthSummary(
    IReadOnlyDictionary<string, long> ExecutionsByStatus, long OpenFailures, long OpenReviews, long Workflows);
