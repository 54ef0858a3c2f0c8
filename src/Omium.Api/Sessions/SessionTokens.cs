using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Omium.Api.Http;

namespace Omium.Api.Sessions;

/// <summary>
/// The tokens of a session. Access: <c>oms_{id}_{secret}</c>, random. Refresh: <c>omr_{id}_{generation}_{mac}</c>, an HMAC over id and generation with
/// the session's own key, so that every refresh token that was ever given out is known again without keeping one. CSRF: an HMAC with the same key.
/// </summary>
internal static class SessionTokens
{
    public const string AccessPrefix = "oms_";
    public const int IdDigits = 16, SecretDigits = 52;
    private const string RefreshPrefix = "omr_";
    private const int MacDigits = 64, GenerationDigitsMax = 9;

    /// <summary>A fresh access token.</summary>
    public static string NewAccess(string id) => $"{AccessPrefix}{id}_{ExecutionIds.Random(SecretDigits)}";

    /// <summary>The refresh token of a generation.</summary>
    public static string Refresh(string id, int generation, byte[] key) =>
        string.Create(CultureInfo.InvariantCulture, $"{RefreshPrefix}{id}_{generation}_{Mac(key, string.Create(CultureInfo.InvariantCulture, $"refresh/{id}/{generation}"))}");

    /// <summary>What must be sent as <c>Omium-Csrf</c> with a cookie.</summary>
    public static string Csrf(string id, byte[] key) => Mac(key, $"csrf/{id}");

    /// <summary>The session that an access token names, not yet believed.</summary>
    public static bool TryReadAccess(ReadOnlySpan<char> token, out string id)
    {
        id = "";
        if (token.Length != AccessPrefix.Length + IdDigits + 1 + SecretDigits || !token.StartsWith(AccessPrefix, StringComparison.Ordinal)
            || token[AccessPrefix.Length + IdDigits] != '_' || !Ascii.IsValid(token))
        {
            return false;
        }

        id = token.Slice(AccessPrefix.Length, IdDigits).ToString();
        return true;
    }

    /// <summary>The session and generation that a refresh token names, not yet believed.</summary>
    public static bool TryReadRefresh(string token, out string id, out int generation)
    {
        (id, generation) = ("", 0);
        var parts = token.Split('_');
        if (parts.Length != 4 || parts[0] != "omr" || parts[1].Length != IdDigits || parts[2].Length > GenerationDigitsMax || parts[3].Length != MacDigits
            || !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out generation))
        {
            return false;
        }

        id = parts[1];
        return true;
    }

    /// <summary>SHA-256 of a token, lower-case hex: what is stored.</summary>
    public static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    /// <summary>Compares in a time that says nothing about where two texts differ.</summary>
    public static bool AreEqual(string one, string other) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one), Encoding.UTF8.GetBytes(other));

    private static string Mac(byte[] key, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
}
