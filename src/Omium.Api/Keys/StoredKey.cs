using System.Text.Json.Serialization;

namespace Omium.Api.Keys;

/// <summary>A key as stored: document kind <c>key</c> of tenant "" by id; each tenant lists its ids under the same kind.</summary>
internal sealed record StoredKey(
    string Id, string Tenant, string Name, string Environment, string Status, string SecretSha256, long CreatedMs, long? LastUsedMs);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredKey))]
internal sealed partial class KeyJson : JsonSerializerContext;
