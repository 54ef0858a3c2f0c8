using Microsoft.AspNetCore.Http;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Contracts.Sharing;
using Omium.Kernel.Resources;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Resources;

namespace Omium.Api.Sharing;

/// <summary>
/// What executions share: <c>GET /v1/locks</c>, <c>GET /v1/state?key=</c>, <c>GET /v1/scopes/verify?scope=</c>, <c>GET</c> and
/// <c>POST /v1/scope-aliases</c>.
/// </summary>
internal static class SharingEndpoints
{
    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/v1/locks", LocksAsync).As("list_locks", "Who holds and who waits, by root.")
            .Query("scope", "Only the root that this scope lies under.").Paged().Answers(ContractJson.Default.RootPage);
        routes.Map("GET", "/v1/state", StateAsync).As("get_shared_value", "A shared value with its latest changes.")
            .QueryNeeded("key", "The key, such as `customer/42#name`.").Answers(ContractJson.Default.SharedValueView);
        routes.Map("GET", "/v1/scopes/verify", VerifyAsync).As("verify_scope", "Folds and checks the log of what is shared under a root.")
            .QueryNeeded("scope", "A scope under the root, such as `customer/42`.").Answers(ContractJson.Default.VerifyView);
        routes.Map("GET", "/v1/scope-aliases", AliasesAsync).As("list_scope_aliases", "Aliases in the order of their names.").Paged()
            .Answers(ContractJson.Default.ScopeAliasPage);
        routes.Map("POST", "/v1/scope-aliases", SetAliasAsync).As("set_scope_alias", "Sets an alias, once and for all.")
            .ReadsLittle(RequestJson.Default.ScopeAliasView).Answers(ContractJson.Default.ScopeAliasView, 201, "Set.")
            .Answers(ContractJson.Default.ScopeAliasView, 200, "It stood so before.").Refuses("alias_taken");
    }

    /// <summary>Roots under which somebody holds or waits, the latest first; with <c>scope</c> only the one it lies under.</summary>
    private static async Task LocksAsync(ApiCall call)
    {
        if (call.Query("scope") is { } text)
        {
            if (await TryResolveAsync(call, "/scope", text, ScopeName.Normalize, ScopeName.RootOf) is { } root)
            {
                var one = await call.Services.Resources.StateAsync(call.Caller.Tenant, root, call.Cancellation);
                await call.JsonAsync(new Page<RootView>(one.Root.Length == 0 ? [] : [SharingViews.Root(one, NowMs(call))], null), ContractJson.Default.RootPage);
            }

            return;
        }

        if (await call.TryIntegerAsync("limit", 50, 1, 200) is not { } limit)
        {
            return;
        }

        var query = new IndexQuery(call.Caller.Tenant, IndexKinds.Resource) { Status = "held", Limit = (int)limit, Cursor = call.Query("cursor") };
        var page = await call.Services.Index.QueryAsync(query, call.Cancellation);
        var roots = new List<RootView>();
        foreach (var row in page.Rows)
        {
            var cell = await call.Services.Resources.FindAsync(new StreamId(row.Tenant, row.Id), call.Cancellation);
            roots.Add(SharingViews.Root(cell.State, NowMs(call)));
        }

        await call.JsonAsync(new Page<RootView>(roots, page.NextCursor), ContractJson.Default.RootPage);
    }

    private static async Task StateAsync(ApiCall call)
    {
        if (call.Query("key") is not { } text)
        {
            await call.InvalidAsync("/key", "Name the value: /v1/state?key=customer/42%23name (the '#' of a key is %23 in a URL).");
            return;
        }

        if (await TryResolveAsync(call, "/key", text, StateKey.Normalize, key => key) is { } key)
        {
            var state = await call.Services.Resources.StateAsync(call.Caller.Tenant, StateKey.RootOf(key), call.Cancellation);
            await call.JsonAsync(SharingViews.Value(key, state), ContractJson.Default.SharedValueView);
        }
    }

    private static async Task VerifyAsync(ApiCall call)
    {
        if (call.Query("scope") is not { } text)
        {
            await call.InvalidAsync("/scope", "Name the scope: /v1/scopes/verify?scope=customer/42.");
            return;
        }

        if (await TryResolveAsync(call, "/scope", text, ScopeName.Normalize, ScopeName.RootOf) is not { } root)
        {
            return;
        }

        var report = await call.Services.ResourceVerifier.VerifyAsync(ResourceAdvancer.StreamOf(call.Caller.Tenant, root), call.Cancellation);
        await call.JsonAsync(SharingViews.Report(report ?? new VerifyReport(VerifyVerdict.Identical, 0, "nothing was ever shared under this root")), ContractJson.Default.VerifyView);
    }

    private static async Task AliasesAsync(ApiCall call)
    {
        if (await call.TryIntegerAsync("limit", 50, 1, 200) is not { } limit)
        {
            return;
        }

        var aliases = await call.Services.Aliases.ListAsync(call.Caller.Tenant, call.Query("cursor"), (int)limit + 1, call.Cancellation);
        ScopeAliasView[] page = [.. aliases.Take((int)limit).Select(alias => new ScopeAliasView(alias.Alias, alias.Scope))];
        await call.JsonAsync(new Page<ScopeAliasView>(page, aliases.Count > page.Length ? page[^1].Alias : null), ContractJson.Default.ScopeAliasPage);
    }

    /// <summary>201 when it was set, 200 when it stood so before, 409 when it stands for something else.</summary>
    private static async Task SetAliasAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.ScopeAliasView) is not { } request)
        {
            return;
        }

        if (ScopeName.Normalize(request.Alias, out var problem) is not { } alias || !ScopeName.IsAlias(alias) || alias.Contains('/', StringComparison.Ordinal))
        {
            await call.InvalidAsync("/alias", $"An alias is one segment with a colon, such as email:ada@x.org{(problem.Length > 0 ? $": {problem}" : "")}.", "invalid_scope");
            return;
        }

        if (ScopeName.Normalize(request.Scope, out problem) is not { } scope || ScopeName.IsAlias(scope))
        {
            await call.InvalidAsync("/scope", problem.Length > 0 ? $"This is no scope: {problem}." : "An alias stands for a scope, not for another alias.", "invalid_scope");
            return;
        }

        var (standing, isNew) = await call.Services.Aliases.SetAsync(call.Caller.Tenant, alias, scope, call.Cancellation);
        if (standing != scope)
        {
            await call.ProblemAsync("alias_taken", $"{alias} stands for {standing}; what is locked under it would come apart if it changed.");
            return;
        }

        await call.JsonAsync(new ScopeAliasView(alias, scope), ContractJson.Default.ScopeAliasView, isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    private delegate string? NameReader(string text, out string problem);

    /// <summary>A name of the query in normal form, its alias resolved; null when it was answered with a problem.</summary>
    private static async ValueTask<string?> TryResolveAsync(ApiCall call, string pointer, string text, NameReader normalize, Func<string, string> part)
    {
        if (normalize(text, out var problem) is not { } name)
        {
            await call.InvalidAsync(pointer, $"This is no name of something shared: {problem}.", "invalid_scope");
            return null;
        }

        var isKey = name.Contains('#', StringComparison.Ordinal);
        var resolved = isKey
            ? await call.Services.Aliases.ResolveKeyAsync(call.Caller.Tenant, name, call.Cancellation)
            : await call.Services.Aliases.ResolveAsync(call.Caller.Tenant, name, call.Cancellation);
        if (resolved is null)
        {
            await call.InvalidAsync(pointer, $"The alias {ScopeName.AliasOf(name)} was never set.", "invalid_scope");
            return null;
        }

        return part(resolved);
    }

    private static long NowMs(ApiCall call) => call.Services.Time.GetUtcNow().ToUnixTimeMilliseconds();
}
