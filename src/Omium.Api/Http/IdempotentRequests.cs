using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Omium.Kernel.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Api.Http;

/// <summary>
/// <c>Idempotency-Key</c>: what a tenant sends again with the same key within 24 hours is answered as it was the first time, and nothing happens twice.
/// Another request with the key is refused (422), and so is the same one while the first is under way (409). Kept is what succeeded: after an
/// error the key may be used again. A claim whose process has died is over after a minute, and the request is then carried out by whoever comes next.
/// </summary>
/// <remarks>
/// An answer may hold a secret that is shown once, so it is kept sealed, with a key that is made from a stored, wrapped one and from the
/// Idempotency-Key itself, of which only a hash is stored.
/// </remarks>
internal sealed class IdempotentRequests(IDocumentStore documents, IKeyWrap keys, TimeProvider time)
{
    private const string Kind = "idempotency";
    private const int KeyLengthMax = 255, SweptMax = 100;
    private static readonly TimeSpan Kept = TimeSpan.FromHours(24), ClaimFor = TimeSpan.FromMinutes(1), SweepEvery = TimeSpan.FromMinutes(1);
    private static readonly string[] KeptHeaders = ["Content-Type", "Location", "ETag"];
    private long _sweptMs;

    /// <summary>Carries a request out once. Without the header it is carried out as it is.</summary>
    public async Task RunAsync(ApiCall call, ApiHandler handler)
    {
        var key = call.Request.Headers["Idempotency-Key"].ToString();
        if (key.Length == 0)
        {
            await handler(call);
            return;
        }

        if (key.Length > KeyLengthMax)
        {
            await call.InvalidAsync("/Idempotency-Key", $"A key has 1 to {KeyLengthMax} characters.");
            return;
        }

        if (await call.TryBodyAsync() is not { } body)
        {
            return;
        }

        var digest = DigestOf(call, body);
        if (await TryClaimAsync(call, key, digest) is { } claim)
        {
            await SweepAsync(call);
            await CarryOutAsync(call, handler, claim, key, digest);
        }
    }

    /// <summary>The place of a fresh claim, durable; null when the request was answered.</summary>
    private async ValueTask<Claim?> TryClaimAsync(ApiCall call, string key, string digest)
    {
        while (true)
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var known = await FindAsync(call, NameOf(call, key, now - (long)Kept.TotalMilliseconds)) ?? await FindAsync(call, NameOf(call, key, now));
            if (known is { } standing && now - standing.Stored.CreatedMs <= Kept.TotalMilliseconds)
            {
                if (standing.Stored.Digest != digest)
                {
                    await call.ProblemAsync("idempotency_mismatch", "This Idempotency-Key came with another request before.");
                    return null;
                }

                if (standing.Stored.Answer is { } answer)
                {
                    await ReplayAsync(call, key, standing.Name, standing.ETag, answer);
                    return null;
                }

                if (now <= standing.Stored.ClaimedUntilMs)
                {
                    call.Context.Response.Headers.RetryAfter = "1";
                    await call.ProblemAsync("idempotency_in_flight", "The first request with this Idempotency-Key is still being carried out.");
                    return null;
                }
            }

            var name = known?.Name ?? NameOf(call, key, now);
            var claim = new StoredRequest(digest, now, now + (long)ClaimFor.TotalMilliseconds, null);
            if (await documents.PutAsync(name, Write(claim), known?.ETag ?? "", call.Cancellation) is { } tag)
            {
                return new Claim(name, tag, now);
            }
        }
    }

    private async Task CarryOutAsync(ApiCall call, ApiHandler handler, Claim claim, string key, string digest)
    {
        var (response, gone) = (call.Context.Response, call.Context.RequestAborted);
        var outside = response.Body;
        using var captured = new MemoryStream();
        response.Body = captured;

        // Whoever sends a key means to ask again when no answer came: a connection that breaks halfway must not undo that it was carried out once.
        call.Context.RequestAborted = CancellationToken.None;
        try
        {
            await handler(call);
            if (response.StatusCode is >= 200 and < 300)
            {
                var headers = KeptHeaders.Where(response.Headers.ContainsKey).ToDictionary(name => name, name => response.Headers[name].ToString());
                var answer = new KeptAnswer(response.StatusCode, headers, captured.ToArray());
                var stored = new StoredRequest(digest, claim.CreatedMs, 0, Close(key, claim.Name, answer));
                await documents.PutAsync(claim.Name, Write(stored), claim.ETag, CancellationToken.None);
            }
            else
            {
                await documents.DeleteAsync(claim.Name, claim.ETag, CancellationToken.None);
            }
        }
        catch
        {
            await documents.DeleteAsync(claim.Name, claim.ETag, CancellationToken.None);
            throw;
        }
        finally
        {
            response.Body = outside;
            call.Context.RequestAborted = gone;
        }

        captured.Position = 0;
        await captured.CopyToAsync(outside, call.Cancellation);
    }

    private async Task ReplayAsync(ApiCall call, string key, DocumentKey name, string tag, SealedAnswer sealedAnswer)
    {
        var answer = Open(key, name, sealedAnswer);
        if (ConcernedBy(call, answer) is { } execution && await IsErasedAsync(call, execution))
        {
            await documents.DeleteAsync(name, tag, call.Cancellation);
            await call.ProblemAsync("execution_not_found", $"There is no execution {execution} any more: it was erased, and what was answered of it with it.");
            return;
        }

        var response = call.Context.Response;
        response.StatusCode = answer.Status;
        foreach (var (header, value) in answer.Headers)
        {
            response.Headers[header] = value;
        }

        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Omium-Replayed"] = "true";
        if (answer.Body.Length > 0)
        {
            await response.Body.WriteAsync(answer.Body, call.Cancellation); // An answer without one (204) takes not even none.
        }
    }

    /// <summary>The execution that an answer tells of: the one that its request names, by itself or by one of its reviews, or that it began; null when there is none.</summary>
    private static string? ConcernedBy(ApiCall call, KeptAnswer answer)
    {
        var named = $"{call.Request.Path}/{answer.Headers.GetValueOrDefault("Location")}".Split('/', '.');
        return named.Select(part => part.StartsWith("rev_", StringComparison.Ordinal) ? $"exe_{part.Split('_')[1]}" : part).LastOrDefault(ExecutionIds.IsWellFormed);
    }

    /// <summary>True when nobody can read the execution any more. One that is damaged is not erased.</summary>
    private static async ValueTask<bool> IsErasedAsync(ApiCall call, string execution)
    {
        try
        {
            return await call.Services.Advancer.FindAsync(new StreamId(call.Caller.Tenant, execution), call.Cancellation) is null;
        }
        catch (Exception damaged) when (damaged is CorruptLogException or CryptographicException)
        {
            return false;
        }
    }

    /// <summary>Now and then, what is older than it is kept for: ids begin with their day, so the oldest come first.</summary>
    private async Task SweepAsync(ApiCall call)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var last = Interlocked.Read(ref _sweptMs);
        if (now - last < SweepEvery.TotalMilliseconds || Interlocked.CompareExchange(ref _sweptMs, now, last) != last)
        {
            return;
        }

        var oldestKept = DayOf(now - (long)Kept.TotalMilliseconds);
        foreach (var old in await documents.ListAsync(call.Caller.Tenant, Kind, "", null, SweptMax, call.Cancellation))
        {
            if (string.CompareOrdinal(old.Key.Id, oldestKept) >= 0)
            {
                return;
            }

            await documents.DeleteAsync(old.Key, old.ETag, call.Cancellation);
        }
    }

    private async ValueTask<(DocumentKey Name, StoredRequest Stored, string ETag)?> FindAsync(ApiCall call, DocumentKey name) =>
        await documents.GetAsync(name, call.Cancellation) is { } found
            ? (name, JsonSerializer.Deserialize(found.Content, IdempotencyJson.Default.StoredRequest)!, found.ETag)
            : null;

    private SealedAnswer Close(string key, DocumentKey name, KeptAnswer answer)
    {
        var stored = Seal.NewKey();
        var plain = JsonSerializer.SerializeToUtf8Bytes(answer, IdempotencyJson.Default.KeptAnswer);
        return new SealedAnswer(keys.Wrap(stored), Seal.Close(KeyOf(stored, key), plain, Context(name)));
    }

    private KeptAnswer Open(string key, DocumentKey name, SealedAnswer answer)
    {
        var plain = Seal.Open(KeyOf(keys.Unwrap(answer.Key), key), answer.Content, Context(name));
        return JsonSerializer.Deserialize(plain, IdempotencyJson.Default.KeptAnswer)!;
    }

    private static byte[] KeyOf(byte[] stored, string key) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, [.. stored, .. Encoding.UTF8.GetBytes(key)], Seal.KeyBytes, info: "omium.idempotency.v1"u8.ToArray());

    private static byte[] Context(DocumentKey name) => Encoding.UTF8.GetBytes($"{name.Tenant} {name.Id}");

    private static DocumentKey NameOf(ApiCall call, string key, long atMs) =>
        new(call.Caller.Tenant, Kind, $"{DayOf(atMs)}.{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))}");

    private static string DayOf(long atMs) => (atMs / (24 * 3_600_000)).ToString("D6", CultureInfo.InvariantCulture);

    private static string DigestOf(ApiCall call, ReadOnlyMemory<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{call.Request.Method} {call.Request.Path}{call.Request.QueryString} {call.Request.ContentType}\n"));
        hash.AppendData(body.Span);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] Write(StoredRequest request) => JsonSerializer.SerializeToUtf8Bytes(request, IdempotencyJson.Default.StoredRequest);

    private sealed record Claim(DocumentKey Name, string ETag, long CreatedMs);
}

/// <summary>A request as stored; without an answer it is under way.</summary>
internal sealed record StoredRequest(string Digest, long CreatedMs, long ClaimedUntilMs, SealedAnswer? Answer);

/// <summary>An answer and the wrapped part of its key.</summary>
internal sealed record SealedAnswer(byte[] Key, byte[] Content);

/// <summary>What is answered again.</summary>
internal sealed record KeptAnswer(int Status, Dictionary<string, string> Headers, byte[] Body);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredRequest))]
[JsonSerializable(typeof(KeptAnswer))]
internal sealed partial class IdempotencyJson : JsonSerializerContext;
