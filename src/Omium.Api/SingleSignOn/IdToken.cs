using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Omium.Api.Sessions;

namespace Omium.Api.SingleSignOn;

/// <summary>What an issuer says of somebody.</summary>
internal sealed record IdClaims(string Subject, string? Email, bool IsEmailVerified, string? Name);

/// <summary>
/// Checks an ID token: JWS with RS256 or ES256 (RFC 7515, 7518) by a key of the issuer's set, and the claims as OpenID Connect Core 1.0, section
/// 3.1.3.7, asks. Anything else, unsigned and symmetric tokens above all, is none.
/// </summary>
internal static class IdToken
{
    private const int LengthMax = 32 * 1024, SubjectLengthMax = 255, RsaBitsMin = 2048;
    private const long SkewSeconds = 60;

    /// <summary>The key id that a token asks for; null when its header names none.</summary>
    public static string? KeyIdOf(string token) =>
        Part(token, 0) is { ValueKind: JsonValueKind.Object } header && header.TryGetProperty("kid", out var kid) && kid.ValueKind == JsonValueKind.String ? kid.GetString() : null;

    /// <summary>The claims of a token that holds; null otherwise.</summary>
    public static IdClaims? Check(string token, JsonElement keySet, string issuer, string clientId, string nonce, long nowMs)
    {
        try
        {
            return token.Length <= LengthMax && token.Split('.') is [var head, var body, var signature] && IsSigned(token, $"{head}.{body}", signature, keySet)
                && Part(token, 1) is { ValueKind: JsonValueKind.Object } claims && Holds(claims, issuer, clientId, nonce, nowMs / 1000)
                ? Read(claims)
                : null;
        }
        catch (Exception broken) when (broken is FormatException or JsonException or CryptographicException or InvalidOperationException or KeyNotFoundException or ArgumentException)
        {
            return null;
        }
    }

    private static bool IsSigned(string token, string content, string signature, JsonElement keySet)
    {
        var header = Part(token, 0)!.Value;
        if (header.TryGetProperty("crit", out _))
        {
            return false; // It asks for something that is not understood here.
        }

        var (algorithm, kid) = (header.GetProperty("alg").GetString(), KeyIdOf(token));
        var (data, bytes) = (Encoding.ASCII.GetBytes(content), Base64Url.DecodeFromChars(signature));
        return algorithm is "RS256" or "ES256" && keySet.GetProperty("keys").EnumerateArray().Any(key => IsFor(key, algorithm, kid) && Verifies(key, algorithm, data, bytes));
    }

    private static bool IsFor(JsonElement key, string algorithm, string? kid) =>
        Text(key, "kty") == (algorithm == "RS256" ? "RSA" : "EC") && (Text(key, "use") ?? "sig") == "sig" && (Text(key, "alg") ?? algorithm) == algorithm
        && (kid is null || Text(key, "kid") == kid);

    private static bool Verifies(JsonElement key, string algorithm, byte[] data, byte[] signature)
    {
        if (algorithm == "RS256")
        {
            using var rsa = RSA.Create(new RSAParameters { Modulus = Bytes(key, "n"), Exponent = Bytes(key, "e") });
            return rsa.KeySize >= RsaBitsMin && rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        }

        if (Text(key, "crv") != "P-256")
        {
            return false;
        }

        using var ecdsa = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Bytes(key, "x"), Y = Bytes(key, "y") } });
        return ecdsa.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static bool Holds(JsonElement claims, string issuer, string clientId, string nonce, long now)
    {
        var audience = claims.GetProperty("aud");
        string?[] audiences = audience.ValueKind == JsonValueKind.Array ? [.. audience.EnumerateArray().Select(each => each.GetString())] : [audience.GetString()];
        var party = Text(claims, "azp");
        return Text(claims, "iss") == issuer && audiences.Contains(clientId) && (party is null ? audiences.Length == 1 : party == clientId)
            && claims.GetProperty("exp").GetDouble() > now - SkewSeconds && claims.GetProperty("iat").GetDouble() < now + SkewSeconds
            && (!claims.TryGetProperty("nbf", out var notBefore) || notBefore.GetDouble() < now + SkewSeconds)
            && Text(claims, "nonce") is { } given && SessionTokens.AreEqual(given, nonce)
            && Text(claims, "sub") is { Length: > 0 and <= SubjectLengthMax };
    }

    private static IdClaims Read(JsonElement claims)
    {
        // Some issuers write the boolean as a text.
        var isVerified = claims.TryGetProperty("email_verified", out var verified) && (verified.ValueKind == JsonValueKind.True || (verified.ValueKind == JsonValueKind.String && verified.GetString() == "true"));
        return new IdClaims(Text(claims, "sub")!, EmailAddress.Normalize(Text(claims, "email")), isVerified, Text(claims, "name"));
    }

    private static JsonElement? Part(string token, int at)
    {
        try
        {
            return token.Split('.') is { Length: 3 } parts ? JsonElement.Parse(Base64Url.DecodeFromChars(parts[at])) : null;
        }
        catch (Exception broken) when (broken is FormatException or JsonException)
        {
            return null;
        }
    }

    private static byte[] Bytes(JsonElement key, string name) => Base64Url.DecodeFromChars(key.GetProperty(name).GetString()!);

    private static string? Text(JsonElement value, string name) => value.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;
}
