using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Omium.Api.Access;
using Omium.Api.Audit;
using Omium.Api.Http;
using Omium.Contracts.Tenants;
using Omium.Runtime.Ports;

namespace Omium.Api.Keys;

/// <summary>
/// API keys: <c>omk_{environment}_{id}_{secret}</c>. Stored is the SHA-256 of the secret (which has 256 random bits, so a slow hash would add
/// nothing). Guarantees: a secret is shown once; a rotated or revoked key is refused from the moment the call returns, in every process over the
/// store, because each request reads the key; every change stands in the tenant's audit trail.
/// </summary>
public sealed partial class KeyService
{
    private const string Kind = "key", Scheme = "Bearer ", Prefix = "omk_";
    private const int IdDigits = 16, SecretDigits = 52, ListMax = 1_000, ParsedMax = 10_000;
    private static readonly TimeSpan LastUsedEvery = TimeSpan.FromMinutes(1);
    private readonly ConcurrentDictionary<string, Parsed> _parsed = new(StringComparer.Ordinal);
    private readonly IDocumentStore documents;
    private readonly AuditedStore store;
    private readonly Acts acts;
    private readonly TimeProvider time;
    private readonly ILogger<KeyService> logger;

    internal KeyService(IDocumentStore documents, AuditedStore store, Acts acts, TimeProvider time, ILogger<KeyService> logger) =>
        (this.documents, this.store, this.acts, this.time, this.logger) = (documents, store, acts, time, logger);

    /// <summary>Makes a key that may do everything. The answer holds the whole key in <see cref="KeyView.Secret"/>; it cannot be had again.</summary>
    /// <param name="tenant">Tenant it belongs to.</param>
    /// <param name="name">What people call it.</param>
    /// <param name="environment">Tag, <c>[a-z]{1,16}</c>: local, test, live.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<KeyView> CreateAsync(string tenant, string name, string environment, CancellationToken cancellation = default) =>
        CreateAsync(tenant, name, environment, Scopes.All, null, Acts.Omium, Origin.None, cancellation);

    /// <summary>Makes a key.</summary>
    internal async Task<KeyView> CreateAsync(
        string tenant, string name, string environment, Scopes scopes, long? spendCapCredits, string by, Origin origin, CancellationToken cancellation)
    {
        if (!IsEnvironment(environment))
        {
            throw new ArgumentException("an environment is 1 to 16 letters a-z", nameof(environment));
        }

        var id = ExecutionIds.Random(IdDigits);
        var secret = ExecutionIds.Random(SecretDigits);
        var key = new StoredKey(id, tenant, name, environment, StoredKey.Active, HashOf(secret), ScopeWords.Of(scopes), spendCapCredits, by, NowMs, null);
        var detail = Acts.Detail(("name", name), ("environment", environment), ("scopes", string.Join(' ', ScopeWords.Of(scopes))));
        var entry = await acts.MakeAsync(tenant, "key.created", by, $"key_{id}", detail, origin, null, cancellation);

        // The tenant's list first: a key that is listed and missing is passed over, one that works and is not listed could never be revoked.
        await documents.PutAsync(new DocumentKey(tenant, Kind, id), "{}"u8.ToArray(), "", cancellation);
        await store.ChangeAsync(tenant, KeyOf(id), KeyJson.Default.StoredKey, known => known is null ? (key, entry) : null, cancellation);
        return View(key, secret);
    }

    /// <summary>True for a well-formed environment tag.</summary>
    public static bool IsEnvironment(string text) => text.Length is >= 1 and <= 16 && !text.AsSpan().ContainsAnyExceptInRange('a', 'z');

    /// <summary>True while a whole key (with its secret) is accepted.</summary>
    public async ValueTask<bool> IsActiveAsync(string key, CancellationToken cancellation = default) =>
        await AuthenticateAsync(Scheme + key, cancellation) is not null;

    /// <summary>The caller behind an Authorization header; null when it names no active key.</summary>
    internal async ValueTask<Caller?> AuthenticateAsync(string? authorization, CancellationToken cancellation)
    {
        if (!TryParse(authorization, out var environment, out var id, out var secret) || await documents.GetAsync(KeyOf(id), cancellation) is not { } stored)
        {
            return null;
        }

        if (!_parsed.TryGetValue(id, out var parsed) || parsed.ETag != stored.ETag)
        {
            if (_parsed.Count > ParsedMax)
            {
                _parsed.Clear();
            }

            _parsed[id] = parsed = new Parsed(JsonSerializer.Deserialize(stored.Content, KeyJson.Default.StoredKey)!, stored.ETag);
        }

        return Check(parsed, environment, secret);
    }

    /// <summary>Keys of a tenant, oldest id first.</summary>
    internal async Task<IReadOnlyList<KeyView>> ListAsync(string tenant, CancellationToken cancellation)
    {
        var views = new List<KeyView>();
        foreach (var listed in await documents.ListAsync(tenant, Kind, "", null, ListMax, cancellation))
        {
            if (await FindAsync(tenant, listed.Key.Id, cancellation) is { } found)
            {
                views.Add(View(found, null));
            }
        }

        return [.. views.OrderBy(view => view.CreatedAt)];
    }

    /// <summary>An active key of a tenant; null when there is none.</summary>
    internal async Task<StoredKey?> FindActiveAsync(string tenant, string id, CancellationToken cancellation) =>
        await FindAsync(tenant, id, cancellation) is { Status: StoredKey.Active } found ? found : null;

    /// <summary>What an active key of a tenant may do, and the hash of its secret; null when there is none.</summary>
    internal async Task<(Caller Caller, string SecretSha256)?> FindCallerAsync(string tenant, string id, CancellationToken cancellation) =>
        await FindActiveAsync(tenant, id, cancellation) is { } key ? (CallerOf(key), key.SecretSha256) : null;

    /// <summary>Gives an active key a new secret; the old one is refused at once. Null when there is no such active key.</summary>
    internal async Task<KeyView?> RotateAsync(string tenant, string id, string by, Origin origin, CancellationToken cancellation)
    {
        var secret = ExecutionIds.Random(SecretDigits);
        return await ChangeAsync(tenant, id, "key.rotated", by, origin, key => key with { SecretSha256 = HashOf(secret) }, cancellation) is { } changed
            ? View(changed, secret)
            : null;
    }

    /// <summary>Revokes a key. False when there is none; true again when it was revoked before.</summary>
    internal async Task<bool> RevokeAsync(string tenant, string id, string by, Origin origin, CancellationToken cancellation) =>
        await ChangeAsync(tenant, id, "key.revoked", by, origin, key => key with { Status = StoredKey.Revoked }, cancellation) is not null
        || await FindAsync(tenant, id, cancellation) is not null;

    /// <summary>The part of a key id behind its prefix <c>key_</c>.</summary>
    internal static string BareId(string id) => id.StartsWith("key_", StringComparison.Ordinal) ? id[4..] : id;

    /// <summary>The tenant of a stored key.</summary>
    internal static string TenantOf(StoredDocument stored) => JsonSerializer.Deserialize(stored.Content, KeyJson.Default.StoredKey)!.Tenant;

    private async Task<StoredKey?> ChangeAsync(string tenant, string id, string action, string by, Origin origin, Func<StoredKey, StoredKey> change, CancellationToken cancellation)
    {
        if (await FindActiveAsync(tenant, id, cancellation) is not { } found)
        {
            return null;
        }

        var entry = await acts.MakeAsync(tenant, action, by, $"key_{id}", Acts.Detail(("name", found.Name)), origin, null, cancellation);
        return await store.ChangeAsync(
            tenant, KeyOf(id), KeyJson.Default.StoredKey, known => known is { Status: StoredKey.Active } ? (change(known), entry) : null, cancellation);
    }

    private async Task<StoredKey?> FindAsync(string tenant, string id, CancellationToken cancellation) =>
        id.Length == IdDigits && (await store.ReadAsync(KeyOf(id), KeyJson.Default.StoredKey, cancellation)).Value is { } key && key.Tenant == tenant ? key : null;

    private Caller? Check(Parsed parsed, string environment, string secret)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> bytes = stackalloc byte[SecretDigits];
        Encoding.ASCII.GetBytes(secret, bytes);
        SHA256.HashData(bytes, hash);
        if (!CryptographicOperations.FixedTimeEquals(hash, parsed.Hash) || parsed.Key.Status != StoredKey.Active || parsed.Key.Environment != environment)
        {
            return null;
        }

        NoteUse(parsed);
        return parsed.Caller;
    }

    /// <summary>Writes the time of use at most once a minute, beside the request: it is a courtesy and never holds one up.</summary>
    private void NoteUse(Parsed parsed)
    {
        var now = NowMs;
        var last = Interlocked.Read(ref parsed.NotedMs);
        if (now - last >= (long)LastUsedEvery.TotalMilliseconds && Interlocked.CompareExchange(ref parsed.NotedMs, now, last) == last)
        {
            _ = WriteUseAsync(parsed, now);
        }
    }

    private async Task WriteUseAsync(Parsed parsed, long nowMs)
    {
        try
        {
            // With the tag that was read: a rotation or revocation in between wins, and this note is dropped.
            var next = parsed.Key with { LastUsedMs = nowMs };
            await documents.PutAsync(KeyOf(next.Id), JsonSerializer.SerializeToUtf8Bytes(next, KeyJson.Default.StoredKey), parsed.ETag, CancellationToken.None);
        }
        catch (Exception error) when (error is StorageException or ObjectDisposedException or InvalidOperationException)
        {
            LogUseNotNoted(logger, parsed.Key.Id, error);
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

    private static Caller CallerOf(StoredKey key) => new(key.Tenant, $"key_{key.Id}", key.Environment) { Scopes = key.Granted, SpendCapCredits = key.SpendCapCredits };

    private static DocumentKey KeyOf(string id) => new("", Kind, id);

    private static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(secret)));

    private static KeyView View(StoredKey key, string? secret) => new(
        $"key_{key.Id}", key.Name, key.Environment, key.Status, DateTimeOffset.FromUnixTimeMilliseconds(key.CreatedMs),
        key.LastUsedMs is { } used ? DateTimeOffset.FromUnixTimeMilliseconds(used) : null, secret is null ? null : $"{Prefix}{key.Environment}_{key.Id}_{secret}")
    {
        Scopes = ScopeWords.Of(key.Granted),
        SpendCapCredits = key.SpendCapCredits,
        CreatedBy = key.CreatedBy ?? Acts.Omium,
    };

    [LoggerMessage(3002, LogLevel.Warning, "The use of key {Id} was not noted")]
    private static partial void LogUseNotNoted(ILogger logger, string id, Exception error);

    /// <summary>A key as read, taken apart once for each version of it.</summary>
    private sealed class Parsed(StoredKey key, string etag)
    {
        public StoredKey Key { get; } = key;

        public string ETag { get; } = etag;

        public byte[] Hash { get; } = Convert.FromHexString(key.SecretSha256);

        public Caller Caller { get; } = CallerOf(key);

        public long NotedMs = key.LastUsedMs ?? 0;
    }
}
