using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Omium.Runtime.Billing;

/// <summary>
/// Signatures of payment events, as Stripe makes them: <c>Stripe-Signature: t=1492774577,v1=hex[,v1=hex]</c>, where v1 is the HMAC-SHA256 of
/// <c>{t}.{body}</c> under the endpoint's secret. Source: https://docs.stripe.com/webhooks#verify-manually.
/// </summary>
public static class StripeSignature
{
    /// <summary>Name of the header.</summary>
    public const string Header = "Stripe-Signature";

    /// <summary>How far a signature's time may be from ours, either way: an old event that is sent again by somebody else is refused. 5 minutes.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    /// <summary>Signatures of one header that are looked at (while a secret is being replaced there are two).</summary>
    private const int SignaturesMax = 8;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    /// <summary>The header for a body sent at this time.</summary>
    public static string Sign(ReadOnlySpan<byte> body, string secret, long unixSeconds) =>
        string.Create(CultureInfo.InvariantCulture, $"t={unixSeconds},v1={Convert.ToHexStringLower(Hash(body, secret, unixSeconds))}");

    /// <summary>True when one of the secrets has signed this body within the tolerance; else <paramref name="problem"/> says what is wrong.</summary>
    public static bool TryVerify(ReadOnlySpan<byte> body, string? header, IReadOnlyList<string> secrets, DateTimeOffset now, out string problem)
    {
        long? time = null;
        var signatures = new List<byte[]>();
        foreach (var part in (header ?? "").Split(',', StringSplitOptions.TrimEntries))
        {
            if (part.StartsWith("t=", StringComparison.Ordinal) && long.TryParse(part.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            {
                time = seconds;
            }
            else if (part.StartsWith("v1=", StringComparison.Ordinal) && part.Length == 3 + (2 * SHA256.HashSizeInBytes) && signatures.Count < SignaturesMax && IsHex(part.AsSpan(3)))
            {
                signatures.Add(Convert.FromHexString(part.AsSpan(3)));
            }
        }

        if (time is not { } signedAt || signatures.Count == 0)
        {
            problem = $"the {Header} header is missing or not of the form t=...,v1=...";
            return false;
        }

        var isSigned = false;
        foreach (var secret in secrets)
        {
            var expected = Hash(body, secret, signedAt);
            isSigned |= signatures.Exists(signature => CryptographicOperations.FixedTimeEquals(signature, expected));
        }

        var isTimely = Math.Abs(now.ToUnixTimeSeconds() - signedAt) <= (long)Tolerance.TotalSeconds;
        problem = !isSigned ? "the signature is not one of this endpoint's secret" : isTimely ? "" : "it was signed more than 5 minutes from now: check the clock, or it is an old event sent again";
        return isSigned && isTimely;
    }

    private static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(HexDigits);

    private static byte[] Hash(ReadOnlySpan<byte> body, string secret, long unixSeconds)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        hmac.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{unixSeconds}.")));
        hmac.AppendData(body);
        return hmac.GetHashAndReset();
    }
}
