using Omium.Api.Audit;

namespace Omium.Api.Sessions;

/// <summary>
/// A person who signs in: document kind <c>user</c> of tenant "" by id. E-mail and name are sealed with the person's own key.
/// </summary>
/// <param name="Id"><c>usr_...</c>.</param>
/// <param name="Status">active or erased.</param>
/// <param name="PasswordHash">PBKDF2, in the format of ASP.NET Core Identity; null for who signs in elsewhere.</param>
/// <param name="Stamp">Changes with the password: sessions that carry another one have ended.</param>
/// <param name="Profile">Sealed <see cref="UserProfile"/>, Base64; null once erased.</param>
/// <param name="AddressHash">Under what the e-mail is found; null for who signs in elsewhere.</param>
/// <param name="Tenants">Tenants joined, the oldest first. The rosters decide; this only says where to look.</param>
/// <param name="Persons">Other names under which data about this person is sealed (invitations): erased together.</param>
/// <param name="CreatedMs">When, Unix ms.</param>
internal sealed record StoredUser(
    string Id, string Status, string? PasswordHash, string Stamp, string? Profile, string? AddressHash, IReadOnlyList<string> Tenants, IReadOnlyList<string> Persons,
    long CreatedMs) : AuditedDocument
{
    public const string Active = "active", Erased = "erased";
}

/// <summary>What is known of a person.</summary>
internal sealed record UserProfile(string Email, string? Name);

/// <summary>Whose e-mail it is: document kind <c>address</c> of tenant "" by keyed hash.</summary>
internal sealed record StoredAddress(string User);

/// <summary>A sign-up that waits for its mail to be answered: kind <c>sign_up</c> of tenant "" by id. Nothing in it counts before.</summary>
internal sealed record StoredSignUp(string Id, string SecretSha256, string PasswordHash, string Sealed, string? Organization, long ExpiresMs);
