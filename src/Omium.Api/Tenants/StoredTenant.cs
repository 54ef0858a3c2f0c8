using System.Text.Json.Serialization;
using Omium.Api.Audit;

namespace Omium.Api.Tenants;

/// <summary>A tenant as stored: document kind <c>tenant</c> of tenant "" by id. The local installation's has none until something is said of it.</summary>
/// <param name="Id"><c>ten_...</c>.</param>
/// <param name="Name">What people call it.</param>
/// <param name="CreatedMs">When, Unix ms.</param>
/// <param name="SeatsMax">How many members it may have; null = as many as the roster holds.</param>
internal sealed record StoredTenant(string Id, string Name, long CreatedMs, int? SeatsMax = null) : AuditedDocument;

/// <summary>
/// Who belongs to a tenant: document kind <c>roster</c> of the tenant, id <c>all</c>. One document, so that a rule over all of them (there is always an
/// administrator; an invitation is used once) holds however many change it at once.
/// </summary>
internal sealed record Roster(IReadOnlyList<StoredMember> Members, IReadOnlyList<StoredInvitation> Invitations) : AuditedDocument
{
    public static readonly Roster Empty = new([], []);

    public StoredMember? Find(string user) => Members.FirstOrDefault(member => member.User == user);
}

/// <summary>A member.</summary>
/// <param name="User">User id.</param>
/// <param name="Role">viewer, operator, approver or admin.</param>
/// <param name="Teams">Names that policies escalate to beside the roles.</param>
/// <param name="JoinedMs">When, Unix ms.</param>
internal sealed record StoredMember(string User, string Role, IReadOnlyList<string> Teams, long JoinedMs);

/// <summary>An invitation that nobody has accepted yet. The e-mail is sealed under the invitation's own id.</summary>
internal sealed record StoredInvitation(
    string Id, string Role, IReadOnlyList<string> Teams, string SealedEmail, string SecretSha256, string By, long CreatedMs, long ExpiresMs);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredTenant))]
[JsonSerializable(typeof(Roster))]
internal sealed partial class TenantJson : JsonSerializerContext;
