using System.Text.Json.Serialization;
using Omium.Api.Access;
using Omium.Api.Audit;

namespace Omium.Api.Keys;

/// <summary>A key as stored: document kind <c>key</c> of tenant "" by id; each tenant lists its ids under the same kind.</summary>
/// <param name="Id">Id, without <c>key_</c>.</param>
/// <param name="Tenant">Tenant it belongs to.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Environment">Tag.</param>
/// <param name="Status">active or revoked.</param>
/// <param name="SecretSha256">Hash of the secret, lower-case hex.</param>
/// <param name="Scopes">What it may do; null for a key made before keys had scopes, which may do everything.</param>
/// <param name="SpendCapCredits">Most credits it may spend in a calendar month (UTC); null = no limit of its own.</param>
/// <param name="CreatedBy">Who made it; null as above.</param>
/// <param name="CreatedMs">When, Unix ms.</param>
/// <param name="LastUsedMs">Last use, to the minute; null = never.</param>
internal sealed record StoredKey(
    string Id, string Tenant, string Name, string Environment, string Status, string SecretSha256, IReadOnlyList<string>? Scopes, long? SpendCapCredits, string? CreatedBy,
    long CreatedMs, long? LastUsedMs) : AuditedDocument
{
    public const string Active = "active", Revoked = "revoked";

    /// <summary>What it may do.</summary>
    [JsonIgnore]
    public Scopes Granted => Scopes is null ? Access.Scopes.All : ScopeWords.Parse(Scopes) ?? Access.Scopes.None;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredKey))]
internal sealed partial class KeyJson : JsonSerializerContext;
