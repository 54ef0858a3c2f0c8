using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Audit;

/// <summary>
/// A key for each person and tenant, and one of the installation's (tenant "") for their account, under which everything about them is sealed. Erasing
/// a person is destroying their key: what was sealed with it can never be read again, while every hash over it still holds. Keys are read anew each time, so that a destroyed one is gone in
/// every process at once.
/// </summary>
public sealed class PersonVault(IDocumentStore documents, IKeyWrap keys)
{
    /// <summary>Kind of the documents that hold the wrapped keys.</summary>
    public const string Kind = "person_key";

    private static readonly byte[] Destroyed = [];

    /// <summary>Seals bytes with a person's key, which is made when there is none. <paramref name="context"/> binds them to their place.</summary>
    /// <exception cref="InvalidOperationException">The person was erased.</exception>
    public async ValueTask<byte[]> SealAsync(string tenant, string person, ReadOnlyMemory<byte> plain, string context, CancellationToken cancellation = default) =>
        Seal.Close(await KeyAsync(tenant, person, cancellation), plain.Span, Encoding.UTF8.GetBytes(context));

    /// <summary>Opens what <see cref="SealAsync"/> gave; null when the person was erased.</summary>
    /// <exception cref="CryptographicException">The bytes are not what was sealed, or stand in another place.</exception>
    public async ValueTask<byte[]?> OpenAsync(string tenant, string person, ReadOnlyMemory<byte> closed, string context, CancellationToken cancellation = default) =>
        await documents.GetAsync(KeyOf(tenant, person), cancellation) is { Content.Length: > 0 } stored
            ? Seal.Open(keys.Unwrap(stored.Content), closed.Span, Encoding.UTF8.GetBytes(context))
            : null;

    /// <summary>A part of an audit entry about a person; null when they were erased before.</summary>
    public async ValueTask<PersonalPart?> PartAsync(string tenant, string person, JsonElement data, CancellationToken cancellation = default)
    {
        var salt = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var whole = JsonMake.Object(("salt", JsonMake.Text(salt)), ("data", data));
        try
        {
            var closed = await SealAsync(tenant, person, CanonicalJson.Canonicalize(whole), $"audit/{person}", cancellation);
            return new PersonalPart(person, AuditRow.PersonalDigest(salt, data), Convert.ToBase64String(closed));
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Salt and data of a part; null when the person was erased.</summary>
    /// <exception cref="CryptographicException">The part was changed.</exception>
    public async ValueTask<(string Salt, JsonElement Data)?> OpenAsync(string tenant, PersonalPart part, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(part);
        if (await OpenAsync(tenant, part.Person, Convert.FromBase64String(part.Sealed), $"audit/{part.Person}", cancellation) is not { } plain)
        {
            return null;
        }

        var whole = CanonicalJson.ParseTrusted(plain);
        return (whole.GetProperty("salt").GetString()!, whole.GetProperty("data"));
    }

    /// <summary>Destroys a person's key for good: no other is ever made under that name.</summary>
    public async Task DestroyAsync(string tenant, string person, CancellationToken cancellation = default) =>
        await documents.PutAsync(KeyOf(tenant, person), Destroyed, null, cancellation);

    /// <summary>True once a person's key was destroyed or while it is there: something was sealed about them.</summary>
    public async ValueTask<bool> KnowsAsync(string tenant, string person, CancellationToken cancellation = default) =>
        await documents.GetAsync(KeyOf(tenant, person), cancellation) is not null;

    private async ValueTask<byte[]> KeyAsync(string tenant, string person, CancellationToken cancellation)
    {
        while (true)
        {
            if (await documents.GetAsync(KeyOf(tenant, person), cancellation) is { } stored)
            {
                return stored.Content.Length > 0 ? keys.Unwrap(stored.Content) : throw new InvalidOperationException($"{person} was erased");
            }

            var made = Seal.NewKey();
            if (await documents.PutAsync(KeyOf(tenant, person), keys.Wrap(made), "", cancellation) is not null)
            {
                return made;
            }
        }
    }

    private static DocumentKey KeyOf(string tenant, string person) => new(tenant, Kind, person);
}
