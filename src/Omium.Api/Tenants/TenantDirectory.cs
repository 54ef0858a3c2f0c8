using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Omium.Api.Access;
using Omium.Api.Audit;
using Omium.Api.Http;
using Omium.Api.Sessions;
using Omium.Runtime.Audit;
using Omium.Runtime.Ports;

namespace Omium.Api.Tenants;

/// <summary>Why a change of the roster was refused: a code of the error catalogue.</summary>
internal sealed record RosterRefusal(string Code, string Detail);

/// <summary>An invitation as made: the only moment its token exists.</summary>
internal sealed record MadeInvitation(StoredInvitation Invitation, string Token);

/// <summary>
/// Tenants and who belongs to them. Guarantees: a tenant with members has an administrator among them, whatever is asked at once; an invitation is
/// accepted at most once; a change counts for the next request in every process over the store.
/// </summary>
internal sealed class TenantDirectory(AuditedStore store, Acts acts, PersonVault persons, TimeProvider time, IOptions<OmiumApiOptions> options)
{
    /// <summary>Most members and open invitations of a tenant.</summary>
    public const int MembersMax = 1_000, InvitationsMax = 200;

    private const string TenantKind = "tenant", RosterKind = "roster", RosterId = "all", InvitationPrefix = "omi_";
    private const int IdDigits = 16, SecretDigits = 52;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Makes a tenant with its first administrator. Done twice with one id, it is done once.</summary>
    public async Task CreateAsync(string id, string name, string admin, Origin origin, CancellationToken cancellation)
    {
        var created = await acts.MakeAsync(id, "tenant.created", admin, id, Acts.Detail(("name", name)), origin, null, cancellation);
        await store.ChangeAsync(id, TenantKey(id), TenantJson.Default.StoredTenant, known => known is null ? (new StoredTenant(id, name, NowMs), created) : null, cancellation);
        await JoinAsync(id, admin, Roles.Admin, [], "founder", admin, origin, cancellation);
    }

    /// <summary>A tenant; null when nothing is stored of it.</summary>
    public async ValueTask<StoredTenant?> FindAsync(string id, CancellationToken cancellation) =>
        (await store.ReadAsync(TenantKey(id), TenantJson.Default.StoredTenant, cancellation)).Value;

    /// <summary>Who belongs to a tenant.</summary>
    public async ValueTask<Roster> RosterAsync(string tenant, CancellationToken cancellation) =>
        (await store.ReadAsync(RosterKey(tenant), TenantJson.Default.Roster, cancellation)).Value ?? Roster.Empty;

    /// <summary>Adds a member who needs no invitation; one who belongs already stays as they are.</summary>
    public async Task JoinAsync(string tenant, string user, string role, IReadOnlyList<string> teams, string how, string by, Origin origin, CancellationToken cancellation)
    {
        var entry = await acts.MakeAsync(tenant, "member.joined", by, user, Acts.Detail(("role", role), ("how", how)), origin, null, cancellation);
        await ChangeAsync(
            tenant, roster => roster.Find(user) is null ? (roster with { Members = [.. roster.Members, new StoredMember(user, role, teams, NowMs)] }, entry) : null, cancellation);
    }

    /// <summary>Invites somebody. The token is given once and works once.</summary>
    public async Task<(MadeInvitation? Made, RosterRefusal? Refusal)> InviteAsync(
        string tenant, string email, string role, IReadOnlyList<string> teams, string by, Origin origin, CancellationToken cancellation)
    {
        var id = $"inv_{ExecutionIds.Random(IdDigits)}";
        var secret = ExecutionIds.Random(SecretDigits);
        var closed = Convert.ToBase64String(await persons.SealAsync(tenant, id, Encoding.UTF8.GetBytes(email), Place(tenant, id), cancellation));
        var now = NowMs;
        var invitation = new StoredInvitation(id, role, teams, closed, SessionTokens.HashOf(secret), by, now, now + (long)options.Value.InvitationFor.TotalMilliseconds);
        var entry = await acts.MakeAsync(tenant, "member.invited", by, id, Acts.Detail(("role", role)), origin, (id, Acts.Detail(("email", email))), cancellation);
        RosterRefusal? refusal = null;
        var seatsMax = (await FindAsync(tenant, cancellation))?.SeatsMax ?? MembersMax;
        var changed = await ChangeAsync(
            tenant,
            roster =>
            {
                var open = roster.Invitations.Where(known => known.ExpiresMs > now).ToArray();
                refusal = open.Length >= InvitationsMax ? new("seats_taken", $"At most {InvitationsMax} invitations are open at a time.") : SeatRefusal(roster.Members.Count + open.Length, seatsMax);
                return refusal is null ? (roster with { Invitations = [.. open, invitation] }, entry) : null;
            },
            cancellation);
        return changed is null ? (null, refusal) : (new MadeInvitation(invitation, $"{InvitationPrefix}{tenant[4..]}_{id[4..]}_{secret}"), null);
    }

    /// <summary>The tenant and invitation behind a token; null when it is none, over, accepted or revoked.</summary>
    public async ValueTask<(string Tenant, StoredInvitation Invitation)?> FindInvitationAsync(string token, CancellationToken cancellation)
    {
        var parts = token.Split('_');
        if (parts.Length != 4 || parts[0] != "omi" || parts[1].Length is 0 or > 64 || parts[3].Length != SecretDigits || !parts[1].All(char.IsAsciiLetterOrDigit))
        {
            return null;
        }

        var tenant = $"ten_{parts[1]}";
        var found = (await RosterAsync(tenant, cancellation)).Invitations.FirstOrDefault(known => known.Id == $"inv_{parts[2]}");
        return found is not null && SessionTokens.AreEqual(SessionTokens.HashOf(parts[3]), found.SecretSha256) && found.ExpiresMs > NowMs ? (tenant, found) : null;
    }

    /// <summary>The e-mail that was invited; null once erased.</summary>
    public async ValueTask<string?> EmailOfAsync(string tenant, StoredInvitation invitation, CancellationToken cancellation) =>
        await persons.OpenAsync(tenant, invitation.Id, Convert.FromBase64String(invitation.SealedEmail), Place(tenant, invitation.Id), cancellation) is { } plain ? Encoding.UTF8.GetString(plain) : null;

    /// <summary>Uses an invitation up for a user. False when somebody else was first, or it was revoked.</summary>
    public async Task<bool> AcceptAsync(string tenant, StoredInvitation invitation, string user, Origin origin, CancellationToken cancellation)
    {
        var entry = await acts.MakeAsync(tenant, "member.joined", user, user, Acts.Detail(("role", invitation.Role), ("how", invitation.Id)), origin, null, cancellation);
        return await ChangeAsync(
            tenant,
            roster =>
            {
                if (roster.Invitations.All(known => known.Id != invitation.Id))
                {
                    return null;
                }

                var joined = roster.Find(user) is { } known
                    ? roster.Members // Somebody who belongs already keeps the role that an administrator gave them last.
                    : [.. roster.Members, new StoredMember(user, invitation.Role, invitation.Teams, NowMs)];
                return (roster with { Members = joined, Invitations = [.. roster.Invitations.Where(open => open.Id != invitation.Id)] }, entry);
            },
            cancellation) is not null;
    }

    /// <summary>Takes an invitation back. False when there is none.</summary>
    public async Task<bool> RevokeInvitationAsync(string tenant, string id, string by, Origin origin, CancellationToken cancellation)
    {
        var entry = await acts.MakeAsync(tenant, "invitation.revoked", by, id, null, origin, null, cancellation);
        return await ChangeAsync(
            tenant,
            roster => roster.Invitations.Any(known => known.Id == id) ? (roster with { Invitations = [.. roster.Invitations.Where(known => known.Id != id)] }, entry) : null,
            cancellation) is not null;
    }

    /// <summary>Gives a member another role and teams. Null and no refusal: there is no such member.</summary>
    public async Task<(StoredMember? Member, RosterRefusal? Refusal)> ChangeMemberAsync(
        string tenant, string user, string role, IReadOnlyList<string> teams, string by, Origin origin, CancellationToken cancellation)
    {
        RosterRefusal? refusal = null;
        StoredMember? changed = null;
        var entry = await acts.MakeAsync(tenant, "member.role_changed", by, user, null, origin, null, cancellation);
        await ChangeAsync(
            tenant,
            roster =>
            {
                (refusal, changed) = (null, null);
                if (roster.Find(user) is not { } known)
                {
                    return null;
                }

                changed = known with { Role = role, Teams = teams };
                refusal = role == Roles.Admin ? null : LastAdminRefusal(roster, user);
                return refusal is null && (changed.Role != known.Role || !changed.Teams.SequenceEqual(known.Teams))
                    ? (roster with { Members = [.. roster.Members.Select(member => member.User == user ? changed : member)] }, entry with { Detail = Change(known, changed) })
                    : null;
            },
            cancellation);
        return (refusal is null ? changed : null, refusal);
    }

    /// <summary>Removes a member; their sessions in this tenant end with it. False and no refusal: there is no such member.</summary>
    public async Task<(bool IsRemoved, RosterRefusal? Refusal)> RemoveMemberAsync(string tenant, string user, string by, Origin origin, CancellationToken cancellation)
    {
        RosterRefusal? refusal = null;
        var entry = await acts.MakeAsync(tenant, "member.removed", by, user, null, origin, null, cancellation);
        var changed = await ChangeAsync(
            tenant,
            roster =>
            {
                refusal = LastAdminRefusal(roster, user);
                return refusal is null && roster.Find(user) is not null ? (roster with { Members = [.. roster.Members.Where(member => member.User != user)] }, entry) : null;
            },
            cancellation);
        return (changed is not null, refusal);
    }

    private static JsonElement Change(StoredMember from, StoredMember to) => Acts.Detail(
        ("from", from.Role), ("to", to.Role), ("teams_from", string.Join(' ', from.Teams)), ("teams_to", string.Join(' ', to.Teams)));

    private static RosterRefusal? SeatRefusal(int taken, int seatsMax) =>
        taken >= seatsMax ? new("seats_taken", $"{taken} of {seatsMax} seats are taken, open invitations included.") : null;

    private static RosterRefusal? LastAdminRefusal(Roster roster, string user) =>
        roster.Find(user) is { Role: Roles.Admin } && roster.Members.Count(member => member.Role == Roles.Admin) == 1
            ? new("last_admin", "This member is the only administrator.")
            : null;

    private Task<Roster?> ChangeAsync(string tenant, Func<Roster, (Roster Next, AuditEntry Entry)?> change, CancellationToken cancellation) =>
        store.ChangeAsync(tenant, RosterKey(tenant), TenantJson.Default.Roster, known => change(known ?? Roster.Empty), cancellation);

    private static string Place(string tenant, string invitation) => $"invitation/{tenant}/{invitation}";

    private static DocumentKey TenantKey(string id) => new("", TenantKind, id);

    private static DocumentKey RosterKey(string tenant) => new(tenant, RosterKind, RosterId);
}
