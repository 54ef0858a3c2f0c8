using System.Collections.Concurrent;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Api.Access;

/// <summary>Keys of the installation as a whole, made when first asked for and stored wrapped: all processes over one store have the same.</summary>
internal sealed class InstallationKeys(IDocumentStore documents, IKeyWrap keys)
{
    private const string Kind = "installation_key";
    private readonly ConcurrentDictionary<string, byte[]> _known = new(StringComparer.Ordinal);

    /// <summary>The key of a name, 32 bytes.</summary>
    public async ValueTask<byte[]> GetAsync(string name, CancellationToken cancellation)
    {
        if (_known.TryGetValue(name, out var known))
        {
            return known;
        }

        var key = new DocumentKey("", Kind, name);
        while (true)
        {
            if (await documents.GetAsync(key, cancellation) is { } stored)
            {
                return _known[name] = keys.Unwrap(stored.Content);
            }

            await documents.PutAsync(key, keys.Wrap(Seal.NewKey()), "", cancellation);
        }
    }
}
