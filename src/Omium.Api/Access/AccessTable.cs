using System.Collections.Frozen;

namespace Omium.Api.Access;

/// <summary>
/// What each route takes of its caller: the one table that is enforced and, in docs/reference/access.md, shown. A route that does not stand here takes
/// an administrator: forgetting one closes it.
/// </summary>
internal static class AccessTable
{
    /// <summary>Every route that needs a caller, by scope.</summary>
    public static readonly (Scopes Scope, string[] Routes)[] All =
    [
        (Scopes.None,
        [
            "GET /v1/me", "GET /v1/auth/session", "POST /v1/auth/logout", "POST /v1/auth/switch", "POST /v1/auth/password",
        ]),
        (Scopes.Read,
        [
            "GET /v1/analytics", "GET /v1/analytics/recovery", "GET /v1/billing", "GET /v1/billing/transactions", "GET /v1/billing/verify",
            "GET /v1/executions", "GET /v1/executions/{id}", "GET /v1/executions/{id}/diff", "GET /v1/executions/{id}/events", "GET /v1/executions/{id}/graph",
            "GET /v1/executions/{id}/payloads/{digest}", "GET /v1/executions/{id}/state", "GET /v1/executions/{id}/steps",
            "GET /v1/executions/{id}/steps/{step}/items", "GET /v1/executions/{id}/stream", "GET /v1/executions/{id}/timeline",
            "GET /v1/executions/{id}/verify", "GET /v1/failures", "GET /v1/failures/export", "GET /v1/failures/{id}", "GET /v1/health-summary",
            "GET /v1/locks", "GET /v1/policies", "GET /v1/policies/versions", "GET /v1/policies/versions/{version}", "POST /v1/policies/dry-run",
            "GET /v1/residue", "GET /v1/residue/{id}", "GET /v1/reviews", "GET /v1/reviews/{id}", "GET /v1/scope-aliases", "GET /v1/scopes/verify",
            "GET /v1/state", "GET /v1/workflows", "GET /v1/workflows/{name}", "GET /v1/workflows/{name}/versions",
            "GET /v1/workflows/{name}/versions/{version}", "POST /v1/workflows/suggest", "POST /v1/workflows/validate",
        ]),
        (Scopes.Run,
        [
            "POST /v1/executions", "POST /v1/executions/{id}/cancel", "POST /v1/executions/{id}/fork", "POST /v1/executions/{id}/migrate",
            "POST /v1/executions/{id}/pause", "POST /v1/executions/{id}/release", "POST /v1/executions/{id}/resume", "POST /v1/executions/{id}/retry",
            "POST /v1/executions/{id}/rollback", "POST /v1/executions/{id}/trace", "POST /v1/executions/{id}/steps", "PUT /v1/executions/{id}/steps/{sid}",
            "POST /v1/executions/{id}/intents", "PUT /v1/executions/{id}/intents/{sid}", "POST /v1/executions/{id}/handoffs", "POST /v1/executions/{id}/handoffs/receive",
            "POST /v1/executions/{id}/heartbeat", "POST /v1/executions/{id}/complete",
        ]),
        (Scopes.Work, ["POST /v1/tasks/{id}/complete", "POST /v1/tasks/{id}/fail", "POST /v1/tasks/{id}/heartbeat", "POST /v1/workers/poll"]),
        (Scopes.Write, ["PUT /v1/policies", "POST /v1/scope-aliases", "POST /v1/workflows", "POST /v1/workflows/import"]),
        (Scopes.Propose, ["POST /v1/reviews/{id}/proposals", "POST /v1/reviews/{id}/test"]),
        (Scopes.Decide, ["POST /v1/failures/{id}/ignore", "POST /v1/residue/{id}/resolve", "POST /v1/reviews/{id}/approval-tokens", "POST /v1/reviews/{id}/decide"]),
        (Scopes.Admin,
        [
            "DELETE /v1/invitations/{id}", "DELETE /v1/keys/{id}", "DELETE /v1/members/{id}", "GET /v1/audit", "GET /v1/audit/export", "GET /v1/audit/verify", "GET /v1/invitations", "GET /v1/keys", "GET /v1/members", "GET /v1/secrets", "DELETE /v1/secrets/{name}", "PUT /v1/secrets/{name}",
            "GET /v1/sso", "PUT /v1/sso", "DELETE /v1/sso", "GET /v1/retention", "PUT /v1/retention", "POST /v1/members/{id}/erase",
            "POST /v1/executions/{id}/erase", "POST /v1/billing/topups", "POST /v1/invitations", "POST /v1/keys", "POST /v1/keys/{id}/rotate",
            "PUT /v1/members/{id}",
        ]),
    ];

    private static readonly FrozenDictionary<string, Scopes> ByRoute =
        All.SelectMany(row => row.Routes.Select(route => KeyValuePair.Create(route, row.Scope))).ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What a route takes.</summary>
    public static Scopes ScopeOf(string method, string pattern) => ByRoute.GetValueOrDefault($"{method} {pattern}", Scopes.Admin);

    /// <summary>True when the table names the route.</summary>
    public static bool Names(string method, string pattern) => ByRoute.ContainsKey($"{method} {pattern}");
}

/// <summary>On an endpoint: it takes a caller with this scope.</summary>
internal sealed record NeedsCaller(Scopes Scope);
