using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Api.Access;

namespace Omium.Api.Reviews;

/// <summary>
/// What a token says, signed: which question of which tenant, what is decided about what, in whose name, until when, and while they prove who they are by the
/// same secret as when it was issued (<see cref="Authenticator.FindAsync"/>).
/// </summary>
internal sealed record ApprovalGrant(string Tenant, string Review, string Digest, string Decision, string By, long ExpiresMs, string Stamp);

/// <summary>
/// Tokens that decide one review: <c>oma_{grant}.{mac}</c>, the grant as base64url JSON and an HMAC over it with a key of the installation. Nothing is
/// stored of them, because nothing needs to be: a review is decided once whoever holds how many tokens, and what the issuer may do is looked up when
/// the token is used, so that a revoked key or a removed member takes its tokens along; a new secret or password does, too.
/// </summary>
internal sealed class ApprovalTokens(InstallationKeys keys)
{
    private const string Prefix = "oma_", KeyName = "approval_token";
    private const int LengthMax = 2_048;

    /// <summary>The token of a grant.</summary>
    public async ValueTask<string> IssueAsync(ApprovalGrant grant, CancellationToken cancellation)
    {
        var text = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(grant, ApprovalJson.Default.ApprovalGrant));
        return $"{Prefix}{text}.{Base64Url.EncodeToString(Mac(await keys.GetAsync(KeyName, cancellation), text))}";
    }

    /// <summary>What a token says, whether its time is over or not; null when it was not issued here.</summary>
    public async ValueTask<ApprovalGrant?> ReadAsync(string token, CancellationToken cancellation)
    {
        if (token.Length > LengthMax || !token.StartsWith(Prefix, StringComparison.Ordinal) || token.IndexOf('.', StringComparison.Ordinal) is not (> 0 and var dot)
            || !Base64Url.IsValid(token.AsSpan(dot + 1)) || !Base64Url.IsValid(token.AsSpan(Prefix.Length, dot - Prefix.Length)))
        {
            return null;
        }

        var text = token[Prefix.Length..dot];
        return CryptographicOperations.FixedTimeEquals(Mac(await keys.GetAsync(KeyName, cancellation), text), Base64Url.DecodeFromChars(token.AsSpan(dot + 1)))
            ? JsonSerializer.Deserialize(Base64Url.DecodeFromChars(text), ApprovalJson.Default.ApprovalGrant)
            : null;
    }

    private static byte[] Mac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(Prefix + text));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ApprovalGrant))]
internal sealed partial class ApprovalJson : JsonSerializerContext;
