using System.Text;
using Omium.Kernel.Resources;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Resources;

/// <summary>
/// Other names of scopes, per tenant. Written once: a name that could come to mean something else could be locked under two names.
/// Therefore what a scope resolves to is remembered for ever, and a name that is not known yet is not remembered at all.
/// </summary>
public sealed class ScopeAliases(IDocumentStore documents)
{
    /// <summary>Kind of the documents.</summary>
    public const string Kind = "scope_alias";

    private const int KnownMax = 100_000;
    private readonly System.Collections.Concurrent.ConcurrentDictionary<(string Tenant, string Alias), string> _known = new();

    /// <summary>The scope that a name in normal form stands for; null when it begins with an alias that nobody has set.</summary>
    public async ValueTask<string?> ResolveAsync(string tenant, string scope, CancellationToken cancellation = default)
    {
        if (!ScopeName.IsAlias(scope))
        {
            return scope;
        }

        var alias = ScopeName.AliasOf(scope);
        if (!_known.TryGetValue((tenant, alias), out var meaning))
        {
            if (await documents.GetAsync(new DocumentKey(tenant, Kind, alias), cancellation) is not { } stored)
            {
                return null;
            }

            meaning = Encoding.UTF8.GetString(stored.Content);
            if (_known.Count < KnownMax)
            {
                _known[(tenant, alias)] = meaning;
            }
        }

        return ScopeName.Replace(scope, meaning);
    }

    /// <summary>The same for a key of a value.</summary>
    public async ValueTask<string?> ResolveKeyAsync(string tenant, string key, CancellationToken cancellation = default) =>
        await ResolveAsync(tenant, StateKey.ScopeOf(key), cancellation) is { } scope ? $"{scope}#{StateKey.FieldOf(key)}" : null;

    /// <summary>Sets an alias. Answers the scope it stands for (another than the one given when it was set before), and whether this call set it.</summary>
    public async Task<(string Scope, bool IsNew)> SetAsync(string tenant, string alias, string scope, CancellationToken cancellation = default)
    {
        var key = new DocumentKey(tenant, Kind, alias);
        return await documents.PutAsync(key, Encoding.UTF8.GetBytes(scope), "", cancellation) is not null
            ? (scope, true)
            : (Encoding.UTF8.GetString((await documents.GetAsync(key, cancellation))!.Content), false);
    }

    /// <summary>Aliases in ordinal order after one.</summary>
    public async Task<IReadOnlyList<(string Alias, string Scope)>> ListAsync(string tenant, string? after, int countMax, CancellationToken cancellation = default) =>
        [.. (await documents.ListAsync(tenant, Kind, "", after, countMax, cancellation)).Select(stored => (stored.Key.Id, Encoding.UTF8.GetString(stored.Content)))];
}
