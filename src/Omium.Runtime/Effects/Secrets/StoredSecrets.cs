using System.Text;
using System.Text.Json;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Effects.Secrets;

/// <summary>
/// Secrets that a tenant has set: document kind <c>secret</c> by name. Each is sealed with a key of its own, which is wrapped; the seal binds it to
/// tenant and name, so that a copy of the document under another name opens nothing.
/// </summary>
public sealed class StoredSecrets(IDocumentStore documents, IKeyWrap keys) : ISecretSource
{
    /// <summary>Kind of the documents.</summary>
    public const string Kind = "secret";

    /// <summary>Members of a document: the wrapped key and the sealed value, Base64; without them the secret was deleted.</summary>
    public const string KeyMember = "wrapped_key", SealedMember = "sealed";

    /// <inheritdoc/>
    public async ValueTask<string?> FindAsync(string tenant, string name, CancellationToken cancellation = default)
    {
        if (await documents.GetAsync(new DocumentKey(tenant, Kind, name), cancellation) is not { } stored)
        {
            return null;
        }

        using var document = JsonDocument.Parse(stored.Content);
        return document.RootElement.TryGetProperty(SealedMember, out var closed) && document.RootElement.TryGetProperty(KeyMember, out var wrapped)
            ? Encoding.UTF8.GetString(Seal.Open(keys.Unwrap(wrapped.GetBytesFromBase64()), closed.GetBytesFromBase64(), Context(tenant, name)))
            : null;
    }

    /// <summary>Seals a value for its place.</summary>
    public (string WrappedKey, string Sealed) Close(string tenant, string name, string value)
    {
        var key = Seal.NewKey();
        return (Convert.ToBase64String(keys.Wrap(key)), Convert.ToBase64String(Seal.Close(key, Encoding.UTF8.GetBytes(value), Context(tenant, name))));
    }

    private static byte[] Context(string tenant, string name) => Encoding.UTF8.GetBytes($"secret/{tenant}/{name}");
}
