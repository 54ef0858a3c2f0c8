using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Api.Http;
using Omium.Kernel.Json;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary>
/// A start that is sent twice happens once. The key's document names the execution before that begins, create-only: whoever comes second, or
/// comes back after a crash in between, starts the same execution, which the kernel takes as a repetition.
/// A <c>start_key</c> is kept for ever and answers the first execution whatever the second body says; an <c>Idempotency-Key</c> is kept for
/// 24 hours and refuses another body.
/// </summary>
internal static class StartKeys
{
    private const string Kind = "start_key";
    private const int KeyLengthMax = 255;
    private static readonly TimeSpan IdempotencyKept = TimeSpan.FromHours(24);

    /// <summary>The id to start under; null when it was answered with a problem. <paramref name="identity"/>: what is asked for.</summary>
    public static async ValueTask<StartClaim?> TryClaimAsync(ApiCall call, string? startKey, string identity)
    {
        var now = call.Services.Time.GetUtcNow();
        var header = call.Request.Headers["Idempotency-Key"].ToString();
        if (startKey is null && header.Length == 0)
        {
            return new StartClaim(ExecutionIds.New(now), false);
        }

        var (scope, text) = startKey is not null ? ("s", startKey) : ("i", header);
        if (text.Length is 0 or > KeyLengthMax)
        {
            await call.InvalidAsync("/start_key", $"A key has 1 to {KeyLengthMax} characters.");
            return null;
        }

        var key = KeyOf(call, scope, text);
        var body = CanonicalJson.Digest(Encoding.UTF8.GetBytes(identity));
        var claim = new StoredStartKey(ExecutionIds.New(now), body, now.ToUnixTimeMilliseconds());
        var content = JsonSerializer.SerializeToUtf8Bytes(claim, StartKeyJson.Default.StoredStartKey);
        var expected = "";
        while (await call.Services.Documents.PutAsync(key, content, expected, call.Cancellation) is null)
        {
            var stored = await call.Services.Documents.GetAsync(key, call.Cancellation);
            if (stored is null)
            {
                expected = "";
                continue;
            }

            var known = JsonSerializer.Deserialize(stored.Content, StartKeyJson.Default.StoredStartKey)!;
            if (scope == "i" && now.ToUnixTimeMilliseconds() - known.CreatedMs > IdempotencyKept.TotalMilliseconds)
            {
                expected = stored.ETag;
                continue;
            }

            if (scope == "i" && known.BodyDigest != body)
            {
                await call.ProblemAsync("idempotency_mismatch", $"This Idempotency-Key started {known.Execution} with another body.");
                return null;
            }

            return new StartClaim(known.Execution, true);
        }

        return new StartClaim(claim.Execution, false);
    }

    /// <summary>The execution that was started with this start key; null when none was.</summary>
    public static async ValueTask<string?> FindAsync(ApiCall call, string startKey) =>
        await call.Services.Documents.GetAsync(KeyOf(call, "s", startKey), call.Cancellation) is { } stored
            ? JsonSerializer.Deserialize(stored.Content, StartKeyJson.Default.StoredStartKey)!.Execution
            : null;

    private static DocumentKey KeyOf(ApiCall call, string scope, string text) =>
        new(call.Caller.Tenant, Kind, $"{scope}.{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}");
}

/// <summary>The id a start goes under. <paramref name="IsKnown"/>: the key was used before.</summary>
internal readonly record struct StartClaim(string Execution, bool IsKnown);

/// <summary>A key as stored.</summary>
internal sealed record StoredStartKey(string Execution, string BodyDigest, long CreatedMs);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StoredStartKey))]
internal sealed partial class StartKeyJson : JsonSerializerContext;
