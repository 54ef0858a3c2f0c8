namespace Omium.Contracts.Tenants;

/// <summary><c>GET /v1/me</c>.</summary>
/// <param name="Tenant">Tenant.</param>
/// <param name="Environment">Tag of the key; "" for a person.</param>
/// <param name="KeyId">Who asks: <c>key_...</c>, or <c>usr_...</c> for a person.</param>
/// <param name="Credits">Whole credits that can still be used; absent where usage is not metered.</param>
/// <param name="Version">Version of the server.</param>
public sealed record MeView(string Tenant, string Environment, string KeyId, long? Credits, string Version)
{
    /// <summary>What the caller may do: <c>read</c>, <c>run</c>, <c>work</c>, <c>write</c>, <c>decide</c>, <c>admin</c>.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Role of a person; null for a key.</summary>
    public string? Role { get; init; }
}

/// <summary>Body of <c>POST /v1/keys</c>.</summary>
/// <param name="Name">What people call it, 1 to 100 characters.</param>
/// <param name="Environment">Tag, 1 to 16 letters a-z, such as local, test or live; default that of the caller's key, for a person live.</param>
/// <param name="Scopes">What it may do, no more than the caller; default everything the caller may do but <c>admin</c>.</param>
/// <param name="SpendCapCredits">Most credits it may spend in a calendar month (UTC), from 0; default no limit of its own.</param>
public sealed record CreateKeyRequest(string Name, string? Environment = null, IReadOnlyList<string>? Scopes = null, long? SpendCapCredits = null);

/// <summary>A key.</summary>
/// <param name="Id">Id.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Environment">Tag.</param>
/// <param name="Status">active or revoked.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="LastUsedAt">Last use, to the minute; null = never.</param>
/// <param name="Secret">The whole key, only in the answer that made or rotated it.</param>
public sealed record KeyView(string Id, string Name, string Environment, string Status, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt, string? Secret = null)
{
    /// <summary>What it may do.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Most credits it may spend in a calendar month (UTC); null = no limit of its own.</summary>
    public long? SpendCapCredits { get; init; }

    /// <summary>Who made it: <c>usr_...</c>, <c>key_...</c>, or <c>omium</c> for the installation's first.</summary>
    public string CreatedBy { get; init; } = "";
}

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
