using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Omium.Api.Http;
using Omium.Contracts.Tenants;
using Omium.Runtime.Ports;

namespace Omium.Api.Keys;

/// <summary>
/// API keys: <c>omk_{environment}_{id}_{secret}</c>. Stored is the SHA-256 of the secret (which has 256 random bits, so a slow hash would add
/// nothing). Guarantees: a secret is shown once; in this process a rotated or revoked key is refused from the moment the call returns, in other
/// processes within <see cref="CacheFor"/>.
/// </summary>
public sealed partial class KeyService(IDocumentStore documents, TimeProvider time, ILogger<KeyService> logger)
{
    /// <summary>How long a key that was read is believed without asking the store again.</summary>
    public static readonly TimeSpan CacheFor = TimeSpan.FromSeconds(30);

    private const string Kind = "key", Scheme = "Bearer ", Prefix = "omk_";
    private const int IdDigits = 16, SecretDigits = 52, ListMax = 1_000, CacheEntriesMax = 10_000;
    private static readonly TimeSpan LastUsedEvery = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, Cached> _cache = new(StringComparer.Ordinal);

    /// <summary>Makes a key. The answer holds the whole key in <see cref="KeyView.Secret"/>; it cannot be had again.</summary>
    /// <param name="tenant">Tenant it belongs to.</param>
    /// <param name="name">What people call it.</param>
    /// <param name="environment">Tag, <c>[a-z]{1,16}</c>: local, test, live.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<KeyView> CreateAsync(string tenant, string name, string environment, CancellationToken cancellation = default)
    {
        if (!IsEnvironment(environment))
        {
            throw new ArgumentException("an environment is 1 to 16 letters a-z", nameof(environment));
        }

        var id = ExecutionIds.Random(IdDigits);
        var secret = ExecutionIds.Random(SecretDigits);
        var key = new StoredKey(id, tenant, name, environment, "active", HashOf(secret), NowMs, null);

        // The tenant's list first: a key that is listed and missing is passed over, one that works and is not listed could never be revoked.
        await documents.PutAsync(new DocumentKey(tenant, Kind, id), "{}"u8.ToArray(), "", cancellation);
        await documents.PutAsync(KeyOf(id), Write(key), "", cancellation);
        return View(key, secret);
    }

    /// <summary>True for a well-formed environment tag.</summary>
    public static bool IsEnvironment(string text) => text.Length is >= 1 and <= 16 && !text.AsSpan().ContainsAnyExceptInRange('a', 'z');

    /// <summary>True while a whole key (with its secret) is accepted.</summary>
    public async ValueTask<bool> IsActiveAsync(string key, CancellationToken cancellation = default) =>
        await AuthenticateAsync(Scheme + key, cancellation) is not null;

    /// <summary>The caller behind an Authorization header; null when it names no active key.</summary>
    internal ValueTask<Caller?> AuthenticateAsync(string? authorization, CancellationToken cancellation)
    {
        if (!TryParse(authorization, out var environment, out var id, out var secret))
        {
            return new((Caller?)null);
        }

        return _cache.TryGetValue(id, out var cached) && time.GetUtcNow() < cached.Until
            ? new(Check(cached, environment, secret))
            : LoadAndCheckAsync(id, environment, secret, cancellation);
    }

    /// <summary>Keys of a tenant, oldest id first.</summary>
    internal async Task<IReadOnlyList<KeyView>> ListAsync(string tenant, CancellationToken cancellation)
    {
        var views = new List<KeyView>();
        foreach (var listed in await documents.ListAsync(tenant, Kind, "", null, ListMax, cancellation))
        {
            if (await FindAsync(tenant, listed.Key.Id, cancellation) is { } found)
            {
                views.Add(View(found.Key, null));
            }
        }

        return [.. views.OrderBy(view => view.CreatedAt)];
    }

    /// <summary>Gives an active key a new secret; the old one is refused at once. Null when there is no such active key.</summary>
    internal async Task<KeyView?> RotateAsync(string tenant, string id, CancellationToken cancellation)
    {
        var secret = ExecutionIds.Random(SecretDigits);
        return await ChangeAsync(tenant, id, key => key.Status == "active" ? key with { SecretSha256 = HashOf(secret) } : null, cancellation) is { } changed
            ? View(changed, secret)
            : null;
    }

    /// <summary>Revokes a key. False when there is none; true again when it was revoked before.</summary>
    internal async Task<bool> RevokeAsync(string tenant, string id, CancellationToken cancellation) =>
        await ChangeAsync(tenant, id, key => key with { Status = "revoked" }, cancellation) is not null;

    /// <summary>The part of a key id behind its prefix <c>key_</c>.</summary>
    internal static string BareId(string id) => id.StartsWith("key_", StringComparison.Ordinal) ? id[4..] : id;

    private async Task<StoredKey?> ChangeAsync(string tenant, string id, Func<StoredKey, StoredKey?> change, CancellationToken cancellation)
    {
        while (await FindAsync(tenant, id, cancellation) is { } found && change(found.Key) is { } changed)
        {
            var isWritten = await documents.PutAsync(KeyOf(id), Write(changed), found.ETag, cancellation) is not null;
            _cache.TryRemove(id, out _);
            if (isWritten)
            {
                return changed;
            }
        }

        return null;
    }

    private async Task<(StoredKey Key, string ETag)?> FindAsync(string? tenant, string id, CancellationToken cancellation)
    {
        if (id.Length != IdDigits || await documents.GetAsync(KeyOf(id), cancellation) is not { } stored)
        {
            return null;
        }

        var key = JsonSerializer.Deserialize(stored.Content, KeyJson.Default.StoredKey)!;
        return tenant is null || key.Tenant == tenant ? (key, stored.ETag) : null;
    }

    private async ValueTask<Caller?> LoadAndCheckAsync(string id, string environment, string secret, CancellationToken cancellation)
    {
        if (await FindAsync(null, id, cancellation) is not { } found)
        {
            return null;
        }

        if (_cache.Count > CacheEntriesMax)
        {
            _cache.Clear();
        }

        var cached = new Cached(found.Key, Convert.FromHexString(found.Key.SecretSha256), time.GetUtcNow() + CacheFor);
        _cache[id] = cached;

        // A rotation between the read and the line above found nothing to remove: look once more before believing what was read.
        if (await FindAsync(null, id, cancellation) is not { } again || again.Key.SecretSha256 != found.Key.SecretSha256 || again.Key.Status != found.Key.Status)
        {
            _cache.TryRemove(new KeyValuePair<string, Cached>(id, cached));
            return null;
        }

        return Check(cached, environment, secret);
    }

    private Caller? Check(Cached cached, string environment, string secret)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> bytes = stackalloc byte[SecretDigits];
        Encoding.ASCII.GetBytes(secret, bytes);
        SHA256.HashData(bytes, hash);
        if (!CryptographicOperations.FixedTimeEquals(hash, cached.Hash) || cached.Key.Status != "active" || cached.Key.Environment != environment)
        {
            return null;
        }

        NoteUse(cached);
        return cached.Caller;
    }

    /// <summary>Writes the time of use at most once a minute, beside the request: it is a courtesy and never holds one up.</summary>
    private void NoteUse(Cached cached)
    {
        var now = NowMs;
        var last = Interlocked.Read(ref cached.NotedMs);
        if (now - last >= (long)LastUsedEvery.TotalMilliseconds && Interlocked.CompareExchange(ref cached.NotedMs, now, last) == last)
        {
            _ = WriteUseAsync(cached.Key.Id, now);
        }
    }

    private async Task WriteUseAsync(string id, long nowMs)
    {
        try
        {
            // With the tag that was read: a rotation or revocation in between wins, and this note is dropped.
            if (await FindAsync(null, id, CancellationToken.None) is { } found)
            {
                await documents.PutAsync(KeyOf(id), Write(found.Key with { LastUsedMs = nowMs }), found.ETag, CancellationToken.None);
            }
        }
        catch (Exception error) when (error is StorageException or ObjectDisposedException or InvalidOperationException)
        {
            LogUseNotNoted(logger, id, error);
        }
    }

    private static bool TryParse(string? authorization, out string environment, out string id, out string secret)
    {
        (environment, id, secret) = ("", "", "");
        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var token = authorization.AsSpan(Scheme.Length).Trim();
        if (!token.StartsWith(Prefix, StringComparison.Ordinal) || !Ascii.IsValid(token))
        {
            return false;
        }

        token = token[Prefix.Length..];
        var first = token.IndexOf('_');
        if (first < 1 || token.Length != first + 1 + IdDigits + 1 + SecretDigits || token[first + 1 + IdDigits] != '_')
        {
            return false;
        }

        (environment, id, secret) = (token[..first].ToString(), token.Slice(first + 1, IdDigits).ToString(), token[(first + IdDigits + 2)..].ToString());
        return true;
    }

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static DocumentKey KeyOf(string id) => new("", Kind, id);

    private static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(secret)));

    private static byte[] Write(StoredKey key) => JsonSerializer.SerializeToUtf8Bytes(key, KeyJson.Default.StoredKey);

    private static KeyView View(StoredKey key, string? secret) => new(
        $"key_{key.Id}", key.Name, key.Environment, key.Status, DateTimeOffset.FromUnixTimeMilliseconds(key.CreatedMs),
        key.LastUsedMs is { } used ? DateTimeOffset.FromUnixTimeMilliseconds(used) : null, secret is null ? null : $"{Prefix}{key.Environment}_{key.Id}_{secret}");

    [LoggerMessage(3002, LogLevel.Warning, "The use of key {Id} was not noted")]
    private static partial void LogUseNotNoted(ILogger logger, string id, Exception error);

    private sealed class Cached(StoredKey key, byte[] hash, DateTimeOffset until)
    {
        public StoredKey Key { get; } = key;

        public byte[] Hash { get; } = hash;

        public DateTimeOffset Until { get; } = until;

        public Caller Caller { get; } = new(key.Tenant, $"key_{key.Id}", key.Environment);

        public long NotedMs = key.LastUsedMs ?? 0;
    }
}
