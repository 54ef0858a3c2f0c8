using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Search;

/// <summary>
/// What the index knows of a word: the first 64 bits of its HMAC-SHA256 under a key of the tenant, which is stored wrapped. So no word stands in the
/// store in plain text, and two tenants' words cannot be compared. A collision of two words may find too much, never too little.
/// </summary>
public sealed class SearchTerms(IDocumentStore documents, IKeyWrap keys)
{
    private const string Kind = "search_key", Current = "current";
    private const int TenantsMax = 1_000, KnownMax = 10_000;
    private readonly ConcurrentDictionary<string, byte[]> _keys = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Tenant, string Word), long> _known = new();

    /// <summary>The terms of words of a tenant, in order and distinct. <paramref name="kind"/>: the index's kind of row, whose words are apart.</summary>
    public async ValueTask<IReadOnlyList<long>> OfAsync(string tenant, string kind, IReadOnlyList<string> words, CancellationToken cancellation = default)
    {
        if (words.Count == 0)
        {
            return [];
        }

        var key = _keys.TryGetValue(tenant, out var kept) ? kept : await KeyAsync(tenant, cancellation);
        return [.. words.Select(word => TermOf(tenant, key, $"{kind} {word}")).Distinct()];
    }

    private long TermOf(string tenant, byte[] key, string word)
    {
        if (_known.TryGetValue((tenant, word), out var known))
        {
            return known;
        }

        if (_known.Count >= KnownMax)
        {
            _known.Clear();
        }

        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(word), hash);
        return _known[(tenant, word)] = BinaryPrimitives.ReadInt64BigEndian(hash);
    }

    private async ValueTask<byte[]> KeyAsync(string tenant, CancellationToken cancellation)
    {
        var name = new DocumentKey(tenant, Kind, Current);
        if (await documents.GetAsync(name, cancellation) is not { } stored)
        {
            await documents.PutAsync(name, keys.Wrap(RandomNumberGenerator.GetBytes(Seal.KeyBytes)), "", cancellation);
            stored = await documents.GetAsync(name, cancellation) ?? throw new InvalidOperationException($"the search key of {tenant} was written and is not there");
        }

        if (_keys.Count >= TenantsMax)
        {
            _keys.Clear();
        }

        return _keys[tenant] = keys.Unwrap(stored.Content);
    }
}
