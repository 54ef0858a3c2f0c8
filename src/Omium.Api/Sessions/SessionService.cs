using System.Text.Json;
using Microsoft.Extensions.Options;
using Omium.Api.Audit;
using Omium.Api.Http;
using Omium.Runtime.Audit;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Api.Sessions;

/// <summary>A session as given to its owner: the only moment its tokens exist.</summary>
internal sealed record OpenedSession(StoredSession Session, string AccessToken, string RefreshToken, string Csrf);

/// <summary>
/// Sessions. Guarantees: an id is never taken from outside; a token that was ended, revoked or replaced is refused from then on in every process over
/// the store; a refresh token is good once, and whoever shows a used one ends the session for everybody who holds it.
/// </summary>
internal sealed class SessionService(AuditedStore store, IDocumentStore documents, Acts acts, IKeyWrap keys, TimeProvider time, IOptions<OmiumApiOptions> options)
{
    private const string Kind = "session";

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Opens a session of a member; the sign-in is in the tenant's audit trail when this returns.</summary>
    public async Task<OpenedSession> OpenAsync(StoredUser user, string tenant, bool isCookie, string how, Origin origin, CancellationToken cancellation)
    {
        var id = ExecutionIds.Random(SessionTokens.IdDigits);
        var key = Seal.NewKey();
        var (access, csrf) = (SessionTokens.NewAccess(id), SessionTokens.Csrf(id, key));
        var now = NowMs;
        var expires = now + Ms(options.Value.SessionFor);
        var session = new StoredSession(
            id, user.Id, tenant, user.Stamp, StoredSession.Active, Convert.ToBase64String(keys.Wrap(key)), 1, SessionTokens.HashOf(access), SessionTokens.HashOf(csrf), isCookie,
            now, now + Ms(options.Value.AccessFor), Math.Min(expires, now + Ms(options.Value.SessionIdleFor)), expires);
        var entry = await acts.MakeAsync(tenant, "session.signed_in", user.Id, user.Id, Acts.Detail(("how", how)), origin, null, cancellation);
        await store.ChangeAsync(tenant, KeyOf(id), SessionJson.Default.StoredSession, known => known is null ? (session, entry) : null, cancellation);
        return new OpenedSession(session, access, SessionTokens.Refresh(id, 1, key), csrf);
    }

    /// <summary>The session behind an access token; null when it is none, over or revoked.</summary>
    public async ValueTask<StoredSession?> FindAsync(string accessToken, CancellationToken cancellation)
    {
        if (!SessionTokens.TryReadAccess(accessToken, out var id) || await documents.GetAsync(KeyOf(id), cancellation) is not { } stored)
        {
            return null;
        }

        var session = JsonSerializer.Deserialize(stored.Content, SessionJson.Default.StoredSession)!;
        return SessionTokens.AreEqual(SessionTokens.HashOf(accessToken), session.AccessSha256) && session.Status == StoredSession.Active && NowMs < session.AccessExpiresMs
            ? session
            : null;
    }

    /// <summary>Gives a session new tokens for its refresh token, which is used up. Null when the token is none, over, or used before; the last ends the session.</summary>
    /// <param name="refreshToken">The token.</param>
    /// <param name="csrf">What must be the session's when it lives in cookies; null where the token itself came in the body.</param>
    /// <param name="origin">From where.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<OpenedSession?> RefreshAsync(string refreshToken, string? csrf, Origin origin, CancellationToken cancellation)
    {
        while (SessionTokens.TryReadRefresh(refreshToken, out var id, out var generation) && await documents.GetAsync(KeyOf(id), cancellation) is { } stored)
        {
            var session = JsonSerializer.Deserialize(stored.Content, SessionJson.Default.StoredSession)!;
            var key = keys.Unwrap(Convert.FromBase64String(session.RefreshKey));
            var isGenuine = SessionTokens.AreEqual(refreshToken, SessionTokens.Refresh(id, generation, key))
                && session.IsCookie == csrf is not null && (csrf is null || SessionTokens.AreEqual(SessionTokens.HashOf(csrf), session.CsrfSha256));
            var now = NowMs;
            if (!isGenuine || session.Status != StoredSession.Active || now >= session.IdleExpiresMs || now >= session.ExpiresMs)
            {
                return null;
            }

            if (generation != session.Generation)
            {
                await EndAsync(session, StoredSession.Revoked, "session.reuse_detected", origin, cancellation);
                return null;
            }

            var access = SessionTokens.NewAccess(id);
            var next = session with
            {
                Generation = generation + 1,
                AccessSha256 = SessionTokens.HashOf(access),
                AccessExpiresMs = Math.Min(session.ExpiresMs, now + Ms(options.Value.AccessFor)),
                IdleExpiresMs = Math.Min(session.ExpiresMs, now + Ms(options.Value.SessionIdleFor)),
            };
            if (await documents.PutAsync(KeyOf(id), JsonSerializer.SerializeToUtf8Bytes(next, SessionJson.Default.StoredSession), stored.ETag, cancellation) is not null)
            {
                return new OpenedSession(next, access, SessionTokens.Refresh(id, generation + 1, key), SessionTokens.Csrf(id, key));
            }
        }

        return null;
    }

    /// <summary>Ends a session for good.</summary>
    public async Task EndAsync(StoredSession session, string status, string action, Origin origin, CancellationToken cancellation)
    {
        var entry = await acts.MakeAsync(session.Tenant, action, session.User, session.User, null, origin, null, cancellation);
        await store.ChangeAsync(
            session.Tenant, KeyOf(session.Id), SessionJson.Default.StoredSession,
            known => known is { Status: StoredSession.Active } ? (known with { Status = status }, entry) : null, cancellation);
    }

    /// <summary>The CSRF token of a session that lives in cookies.</summary>
    public string CsrfOf(StoredSession session) => SessionTokens.Csrf(session.Id, keys.Unwrap(Convert.FromBase64String(session.RefreshKey)));

    /// <summary>Removes sessions that were over a day ago; what they owe to the audit trail is settled long before. Answers how many.</summary>
    public async Task<int> SweepAsync(CancellationToken cancellation)
    {
        const int PageSize = 500;
        var (removed, before) = (0, NowMs - Ms(TimeSpan.FromDays(1)));
        string? after = null;
        while (true)
        {
            var page = await documents.ListAsync("", Kind, "", after, PageSize, cancellation);
            foreach (var stored in page)
            {
                var session = JsonSerializer.Deserialize(stored.Content, SessionJson.Default.StoredSession)!;
                if (session.Owed is null && Math.Min(session.IdleExpiresMs, session.ExpiresMs) < before && await documents.DeleteAsync(stored.Key, stored.ETag, cancellation))
                {
                    removed++;
                }
            }

            if (page.Count < PageSize)
            {
                return removed;
            }

            after = page[^1].Key.Id;
        }
    }

    private static DocumentKey KeyOf(string id) => new("", Kind, id);

    private static long Ms(TimeSpan time) => (long)time.TotalMilliseconds;
}
