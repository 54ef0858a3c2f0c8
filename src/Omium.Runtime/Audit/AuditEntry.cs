using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Kernel.Json;

namespace Omium.Runtime.Audit;

/// <summary>One act that is accounted for, before it has its place in the chain.</summary>
/// <param name="Id">Identity of the act, made when it happened: the same id is recorded once, however often it is handed in.</param>
/// <param name="AtMs">When, milliseconds since the Unix epoch.</param>
/// <param name="Action">What, a stable name such as <c>key.rotated</c>.</param>
/// <param name="Actor">Who: <c>usr_...</c>, <c>key_...</c>, or <c>omium</c> for what a policy did.</param>
/// <param name="Subject">To whom or what: an id, or "".</param>
public sealed record AuditEntry(string Id, long AtMs, string Action, string Actor, string Subject)
{
    /// <summary>More about it; never a secret, and nothing about a person that has to be erasable.</summary>
    public JsonElement? Detail { get; init; }

    /// <summary>What belongs to persons (addresses, e-mail), each part sealed with that person's key.</summary>
    public IReadOnlyList<PersonalPart>? Personal { get; init; }
}

/// <summary>Data about one person. <paramref name="Digest"/> stands in the chain; <paramref name="Sealed"/> opens as long as the person's key is there.</summary>
/// <param name="Person">Whose key.</param>
/// <param name="Digest">SHA-256 of the salted canonical data: it says nothing about data whose key was destroyed.</param>
/// <param name="Sealed">Salt and data, sealed; Base64.</param>
public sealed record PersonalPart(string Person, string Digest, string Sealed);

/// <summary>An entry in its place. <see cref="Hash"/> covers everything but the sealed bytes, and the hash of the row before.</summary>
public sealed record AuditRow(long Seq, AuditEntry Entry, string PrevHash, string Hash)
{
    /// <summary>What stands before the first row.</summary>
    public static readonly string Genesis = new('0', 64);

    /// <summary>The row that follows <paramref name="prevHash"/>.</summary>
    public static AuditRow Following(long seq, string prevHash, AuditEntry entry) => new(seq, entry, prevHash, HashOf(seq, prevHash, entry));

    /// <summary>SHA-256, lower-case hex, of the canonical JSON (RFC 8785) of the row without its hash; personal parts count by their digest.</summary>
    public static string HashOf(long seq, string prevHash, AuditEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        (string, JsonElement)[] members =
        [
            ("seq", Number(seq)), ("prev_hash", JsonMake.Text(prevHash)), ("id", JsonMake.Text(entry.Id)),
            ("at_ms", Number(entry.AtMs)), ("action", JsonMake.Text(entry.Action)),
            ("actor", JsonMake.Text(entry.Actor)), ("subject", JsonMake.Text(entry.Subject)), ("detail", entry.Detail ?? JsonMake.Object()),
            ("personal", JsonMake.Array((entry.Personal ?? []).Select(part => JsonMake.Object(("person", JsonMake.Text(part.Person)), ("digest", JsonMake.Text(part.Digest)))))),
        ];
        return Convert.ToHexStringLower(SHA256.HashData(CanonicalJson.Canonicalize(JsonMake.Object(members))));
    }

    /// <summary>The digest of personal data with its salt.</summary>
    public static string PersonalDigest(string salt, JsonElement data) =>
        Convert.ToHexStringLower(SHA256.HashData(CanonicalJson.Canonicalize(JsonMake.Object(("salt", JsonMake.Text(salt)), ("data", data)))));

    private static JsonElement Number(long value) => JsonSerializer.SerializeToElement(value, AuditJson.Default.Int64);

    internal byte[] Serialize() => JsonSerializer.SerializeToUtf8Bytes(this, AuditJson.Default.AuditRow);

    internal static AuditRow Deserialize(byte[] body) => JsonSerializer.Deserialize(body, AuditJson.Default.AuditRow)!;
}

/// <summary>How entries are stored.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuditRow))]
[JsonSerializable(typeof(AuditEntry))]
[JsonSerializable(typeof(List<AuditEntry>))]
[JsonSerializable(typeof(PersonalPart))]
[JsonSerializable(typeof(long))]
public sealed partial class AuditJson : JsonSerializerContext;
