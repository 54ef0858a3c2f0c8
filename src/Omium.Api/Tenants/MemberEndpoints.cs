using System.Buffers;
using Microsoft.AspNetCore.Http;
using Omium.Api.Access;
using Omium.Api.Http;
using Omium.Api.Sessions;
using Omium.Contracts;
using Omium.Contracts.Access;

namespace Omium.Api.Tenants;

/// <summary><c>/v1/members</c> and <c>/v1/invitations</c>.</summary>
internal static class MemberEndpoints
{
    private const int TeamsMax = 20, TeamLengthMax = 64;
    private static readonly SearchValues<char> TeamLetters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_-");

    public static void Map(ApiRoutes routes)
    {
        routes.Map("GET", "/v1/members", ListAsync).As("list_members", "Members of the tenant, the oldest first.").Answers(ContractJson.Default.MemberPage);
        routes.Map("PUT", "/v1/members/{id}", ChangeAsync).As("change_member", "Gives a member another role; it counts for their next request.")
            .Reads(RequestJson.Default.ChangeMemberRequest).Answers(ContractJson.Default.MemberView).Refuses("member_not_found", "last_admin");
        routes.Map("DELETE", "/v1/members/{id}", RemoveAsync).As("remove_member", "Removes a member; their sessions in the tenant end at once.")
            .Answers(204, null, "Removed.").Refuses("member_not_found", "last_admin");
        routes.Map("GET", "/v1/invitations", ListInvitationsAsync).As("list_invitations", "Invitations that can be accepted.").Answers(ContractJson.Default.InvitationPage);
        routes.Map("POST", "/v1/invitations", InviteAsync).As("invite_member", "Invites somebody; the token is in this answer and in no other. Where mails are sent, it is in the mail alone.")
            .Reads(RequestJson.Default.InviteRequest).Answers(ContractJson.Default.InvitationView, 201, "Made.").Refuses("seats_taken");
        routes.Map("DELETE", "/v1/invitations/{id}", RevokeAsync).As("revoke_invitation", "Takes an invitation back.").Answers(204, null, "Taken back.").Refuses("invitation_not_found");
    }

    private static async Task ListAsync(ApiCall call)
    {
        var views = new List<MemberView>();
        foreach (var member in (await call.Services.Tenants.RosterAsync(call.Caller.Tenant, call.Cancellation)).Members)
        {
            views.Add(await ViewAsync(call, member));
        }

        await call.JsonAsync(new Page<MemberView>(views, null), ContractJson.Default.MemberPage);
    }

    private static async Task ChangeAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.ChangeMemberRequest) is not { } request || !await IsRoleAsync(call, request.Role) || !await AreTeamsAsync(call, request.Teams))
        {
            return;
        }

        if (!await MayGiveAsync(call, request.Role))
        {
            return;
        }

        var id = call.Route("id");
        var teams = request.Teams ?? (await call.Services.Tenants.RosterAsync(call.Caller.Tenant, call.Cancellation)).Find(id)?.Teams ?? [];
        var (member, refusal) = await call.Services.Tenants.ChangeMemberAsync(call.Caller.Tenant, id, request.Role, teams, call.Caller.KeyId, call.Origin, call.Cancellation);
        if (refusal is not null)
        {
            await call.ProblemAsync(refusal.Code, refusal.Detail);
        }
        else if (member is null)
        {
            await call.ProblemAsync("member_not_found", $"There is no member {ApiCall.Shorten(id)}.");
        }
        else
        {
            await call.JsonAsync(await ViewAsync(call, member), ContractJson.Default.MemberView);
        }
    }

    private static async Task RemoveAsync(ApiCall call)
    {
        var id = call.Route("id");
        var (isRemoved, refusal) = await call.Services.Tenants.RemoveMemberAsync(call.Caller.Tenant, id, call.Caller.KeyId, call.Origin, call.Cancellation);
        if (refusal is not null)
        {
            await call.ProblemAsync(refusal.Code, refusal.Detail);
        }
        else if (!isRemoved)
        {
            await call.ProblemAsync("member_not_found", $"There is no member {ApiCall.Shorten(id)}.");
        }
        else
        {
            call.Context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    private static async Task ListInvitationsAsync(ApiCall call)
    {
        var (views, now) = (new List<InvitationView>(), call.Services.Time.GetUtcNow().ToUnixTimeMilliseconds());
        foreach (var invitation in (await call.Services.Tenants.RosterAsync(call.Caller.Tenant, call.Cancellation)).Invitations.Where(known => known.ExpiresMs > now))
        {
            views.Add(View(invitation, await call.Services.Tenants.EmailOfAsync(call.Caller.Tenant, invitation, call.Cancellation), null));
        }

        await call.JsonAsync(new Page<InvitationView>(views, null), ContractJson.Default.InvitationPage);
    }

    private static async Task InviteAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.InviteRequest) is not { } request || !await IsRoleAsync(call, request.Role) || !await AreTeamsAsync(call, request.Teams))
        {
            return;
        }

        if (!await MayGiveAsync(call, request.Role))
        {
            return;
        }

        if (EmailAddress.Normalize(request.Email) is not { } email)
        {
            await call.InvalidAsync("/email", $"An e-mail has one '@' with something on both sides, and at most {EmailAddress.LengthMax} characters.");
            return;
        }

        var (made, refusal) = await call.Services.Tenants.InviteAsync(
            call.Caller.Tenant, email, request.Role, request.Teams ?? [], call.Caller.KeyId, call.Origin, call.Cancellation);
        if (made is null)
        {
            await call.ProblemAsync(refusal!.Code, refusal.Detail);
            return;
        }

        // Where mails are sent, an account belongs to whoever answered one. Shown to the inviter, the token would let them make the account of an address
        // that is not theirs, with a password of their choice, and find out whether it has one.
        var isMailed = call.Services.Accounts.SendsMail;
        if (isMailed)
        {
            await call.Services.Accounts.MailInvitationAsync(email, made.Token, call.Cancellation);
        }

        await call.JsonAsync(View(made.Invitation, email, isMailed ? null : made.Token), ContractJson.Default.InvitationView, StatusCodes.Status201Created);
    }

    /// <summary>A key gives nobody a role that may do what it may not, or else whoever has the key has that role too.</summary>
    private static async ValueTask<bool> MayGiveAsync(ApiCall call, string role)
    {
        if (call.Caller.Exceeds(Roles.ScopesOf(role), call.Caller.Environment) is not { } refusal)
        {
            return true;
        }

        await call.ProblemAsync("forbidden", refusal);
        return false;
    }

    private static async Task RevokeAsync(ApiCall call)
    {
        var id = call.Route("id");
        if (await call.Services.Tenants.RevokeInvitationAsync(call.Caller.Tenant, id, call.Caller.KeyId, call.Origin, call.Cancellation))
        {
            call.Context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        await call.ProblemAsync("invitation_not_found", $"There is no invitation {ApiCall.Shorten(id)}.");
    }

    private static async ValueTask<MemberView> ViewAsync(ApiCall call, StoredMember member)
    {
        var profile = await call.Services.Accounts.FindAsync(member.User, call.Cancellation) is { } user ? await call.Services.Accounts.ProfileAsync(user, call.Cancellation) : null;
        return new MemberView(member.User, profile?.Email, profile?.Name, member.Role, member.Teams, DateTimeOffset.FromUnixTimeMilliseconds(member.JoinedMs));
    }

    private static InvitationView View(StoredInvitation invitation, string? email, string? token) => new(
        invitation.Id, email, invitation.Role, invitation.Teams, invitation.By, DateTimeOffset.FromUnixTimeMilliseconds(invitation.CreatedMs),
        DateTimeOffset.FromUnixTimeMilliseconds(invitation.ExpiresMs), token);

    private static async ValueTask<bool> IsRoleAsync(ApiCall call, string role)
    {
        if (Roles.IsRole(role))
        {
            return true;
        }

        await call.InvalidAsync("/role", $"A role is one of {string.Join(", ", Roles.All.Select(known => known.Role))}.");
        return false;
    }

    private static async ValueTask<bool> AreTeamsAsync(ApiCall call, IReadOnlyList<string>? teams)
    {
        if (teams is null || (teams.Count <= TeamsMax && teams.All(team => team.Length is > 0 and <= TeamLengthMax && !team.AsSpan().ContainsAnyExcept(TeamLetters) && !Roles.IsRole(team))))
        {
            return true;
        }

        await call.InvalidAsync("/teams", $"At most {TeamsMax} names, each 1 to {TeamLengthMax} of a-z, 0-9, _ and -, and none of them a role.");
        return false;
    }
}
