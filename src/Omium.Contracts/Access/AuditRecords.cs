using System.Text.Json;

namespace Omium.Contracts.Access;

/// <summary>A row of the audit trail. <see cref="Hash"/> covers every other member, personal data by its digest.</summary>
public sealed record AuditRowView
{
    /// <summary>Place in the trail, from 1, without gaps.</summary>
    public required long Seq { get; init; }

    /// <summary>Identity of the act.</summary>
    public required string Id { get; init; }

    /// <summary>When it happened, to the millisecond.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What, such as <c>key.rotated</c> or <c>review.decided</c>.</summary>
    public required string Action { get; init; }

    /// <summary>Who: <c>usr_...</c>, <c>key_...</c>, or <c>omium</c> for what a policy or the installation did.</summary>
    public required string Actor { get; init; }

    /// <summary>To whom or what: an id.</summary>
    public required string Subject { get; init; }

    /// <summary>More about it, by action.</summary>
    public JsonElement? Detail { get; init; }

    /// <summary>Data about persons.</summary>
    public IReadOnlyList<AuditPersonView> Personal { get; init; } = [];

    /// <summary>Hash of the row before; 64 zeros for the first.</summary>
    public required string PrevHash { get; init; }

    /// <summary>SHA-256 of the canonical row, lower-case hexadecimal.</summary>
    public required string Hash { get; init; }
}

/// <summary>Data about one person in a row of the audit trail.</summary>
/// <param name="Person">Whose: <c>usr_...</c>, <c>key_...</c> (from where a key was used), <c>inv_...</c> (who was invited).</param>
/// <param name="Digest">SHA-256 of salt and data, which is what the row's hash covers.</param>
/// <param name="Salt">Keeps the digest from being guessed once the data is gone; null once erased.</param>
/// <param name="Data">Address and agent of the request, or the e-mail invited; null once erased.</param>
public sealed record AuditPersonView(string Person, string Digest, string? Salt = null, JsonElement? Data = null);

/// <summary><c>GET /v1/audit/verify</c>.</summary>
/// <param name="Status">intact or corrupt.</param>
/// <param name="Rows">Rows that hold.</param>
/// <param name="Head">Hash of the last of them: kept elsewhere, it shows later whether the end was cut off.</param>
/// <param name="Detail">With corrupt: which row, and what is wrong with it.</param>
public sealed record AuditVerifyView(string Status, long Rows, string Head, string? Detail = null);
