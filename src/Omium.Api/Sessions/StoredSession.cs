using System.Text.Json.Serialization;
using Omium.Api.Audit;

namespace Omium.Api.Sessions;

/// <summary>
/// A session as stored: document kind <c>session</c> of tenant "" by id. It is a family: each refresh raises <see cref="Generation"/>, and whoever
/// comes with an older one ends it. Only hashes of tokens are stored, and the wrapped key that refresh tokens are made with.
/// </summary>
internal sealed record StoredSession(
    string Id, string User, string Tenant, string Stamp, string Status, string RefreshKey, int Generation, string AccessSha256, string CsrfSha256, bool IsCookie,
    long CreatedMs, long AccessExpiresMs, long IdleExpiresMs, long ExpiresMs) : AuditedDocument
{
    public const string Active = "active", Ended = "ended", Revoked = "revoked";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredSession))]
[JsonSerializable(typeof(StoredUser))]
[JsonSerializable(typeof(UserProfile))]
[JsonSerializable(typeof(StoredAddress))]
[JsonSerializable(typeof(StoredSignUp))]
internal sealed partial class SessionJson : JsonSerializerContext;
