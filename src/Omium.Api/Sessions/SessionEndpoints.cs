using Microsoft.AspNetCore.Http;
using Omium.Api.Access;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Access;

namespace Omium.Api.Sessions;

/// <summary><c>/v1/auth</c>: accounts and sessions.</summary>
internal static class SessionEndpoints
{
    private const int NameLengthMax = 100;

    public static void Map(ApiRoutes routes)
    {
        routes.MapOpen("POST", "/v1/auth/signup", SignUpAsync).As("sign_up", "Makes an account with a tenant of its own.")
            .Reads(RequestJson.Default.SignUpRequest).Answers(ContractJson.Default.SignUpView, 202, "Accepted, whether the e-mail has an account or not.").Refuses("forbidden", "rate_limited", "storage_failed", "storage_full");
        routes.MapOpen("POST", "/v1/auth/verify", VerifyAsync).As("verify_sign_up", "Completes a sign-up with the code of its mail, and signs in.")
            .Reads(RequestJson.Default.VerifySignUpRequest).Answers(ContractJson.Default.SignedInView).Refuses("sign_in_failed", "rate_limited", "storage_failed", "storage_full");
        routes.MapOpen("POST", "/v1/auth/login", SignInAsync).As("sign_in", "Opens a session.")
            .Reads(RequestJson.Default.SignInRequest).Answers(ContractJson.Default.SignedInView).Refuses("sign_in_failed", "rate_limited", "storage_failed", "storage_full");
        routes.MapOpen("POST", "/v1/auth/refresh", RefreshAsync).As("refresh_session", "Renews a session; the refresh token is used up.")
            .Reads(RequestJson.Default.RefreshRequest, isOptional: true).Answers(ContractJson.Default.SignedInView).Refuses("sign_in_failed", "storage_failed", "storage_full");
        routes.MapOpen("POST", "/v1/auth/accept", AcceptAsync).As("accept_invitation", "Joins a tenant by invitation, and signs in there.")
            .Reads(RequestJson.Default.AcceptInvitationRequest).Answers(ContractJson.Default.SignedInView)
            .Refuses("sign_in_failed", "invitation_not_found", "rate_limited", "storage_failed", "storage_full");
        routes.Map("POST", "/v1/auth/logout", SignOutAsync).As("sign_out", "Ends the session.").Answers(204, null, "Ended.").Refuses("forbidden");
        routes.Map("GET", "/v1/auth/session", SessionAsync).As("get_session", "Who is signed in, and where they may work.").Answers(ContractJson.Default.SessionView).Refuses("forbidden");
        routes.Map("POST", "/v1/auth/switch", SwitchAsync).As("switch_tenant", "Ends the session and opens one in another tenant of the same person.")
            .Reads(RequestJson.Default.SwitchTenantRequest).Answers(ContractJson.Default.SignedInView).Refuses("forbidden");
        routes.Map("POST", "/v1/auth/password", ChangePasswordAsync).As("change_password", "Changes the password; every session of the person ends.")
            .Reads(RequestJson.Default.ChangePasswordRequest).Answers(204, null, "Changed.").Refuses("sign_in_failed", "forbidden", "rate_limited");
    }

    /// <summary>Opens a session for a user in one of their tenants (null: the first that they still belong to), and answers with it.</summary>
    public static async Task OpenAsync(ApiCall call, StoredUser user, string? tenant, bool isCookie, string how)
    {
        foreach (var candidate in tenant is null ? user.Tenants : [tenant])
        {
            if ((await call.Services.Tenants.RosterAsync(candidate, call.Cancellation)).Find(user.Id) is { } member)
            {
                var opened = await call.Services.Sessions.OpenAsync(user, candidate, isCookie, how, call.Origin, call.Cancellation);
                await AnswerAsync(call, opened, member.Role);
                return;
            }
        }

        await call.ProblemAsync("sign_in_failed");
    }

    private static async Task SignUpAsync(ApiCall call)
    {
        var started = call.Services.Time.GetTimestamp();
        if (await call.TryReadAsync(RequestJson.Default.SignUpRequest) is not { } request
            || !await IsNameAsync(call, "/name", request.Name) || !await IsNameAsync(call, "/organization", request.Organization)
            || await TryEmailAsync(call, request.Email) is not { } email || !await IsPasswordAsync(call, "/password", request.Password, email))
        {
            return;
        }

        if (!call.Services.Options.SignUp)
        {
            await call.ProblemAsync("forbidden", "Accounts are made by invitation here.");
            return;
        }

        if (!await TryBeginAsync(call, email))
        {
            return;
        }

        if (!await call.Services.Accounts.SignUpAsync(email, request.Password, request.Name, request.Organization, call.Origin, call.Cancellation))
        {
            await BusyAsync(call);
            return;
        }

        // A new account costs more writes than a known one: the answer waits for the next beat, which is the same for both.
        var beat = call.Services.Options.SignUpBeat;
        var beats = Math.Floor(call.Services.Time.GetElapsedTime(started) / beat) + 1;
        await Task.Delay((beat * beats) - call.Services.Time.GetElapsedTime(started), call.Services.Time, call.Cancellation);
        await call.JsonAsync(new SignUpView("accepted", call.Services.Accounts.SendsMail), ContractJson.Default.SignUpView, StatusCodes.Status202Accepted);
    }

    private static async Task VerifyAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.VerifySignUpRequest) is not { } request || !await TryBeginAsync(call, SessionTokens.HashOf(request.Token)))
        {
            return;
        }

        if (request.Password.Length <= Passwords.LengthMax && await call.Services.Accounts.VerifyAsync(request.Token, request.Password, call.Origin, call.Cancellation) is { } user)
        {
            await OpenAsync(call, user, null, request.Cookie, "sign_up");
            return;
        }

        await call.ProblemAsync("sign_in_failed");
    }

    private static async Task SignInAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.SignInRequest) is not { } request)
        {
            return;
        }

        // What is no address at all goes the way of one that nobody has.
        var email = EmailAddress.Normalize(request.Email) ?? "nobody@invalid";
        if (!await TryBeginAsync(call, email))
        {
            return;
        }

        var password = request.Password.Length <= Passwords.LengthMax ? request.Password : "";
        var (user, isBusy) = await call.Services.Accounts.SignInAsync(email, password, call.Origin, call.Cancellation);
        if (isBusy)
        {
            await BusyAsync(call);
            return;
        }

        if (user is null)
        {
            await call.ProblemAsync("sign_in_failed");
            return;
        }

        call.Services.Throttle.Succeed(email, call.Origin.Address);
        await OpenAsync(call, user, request.Tenant, request.Cookie, "password");
    }

    private static async Task RefreshAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.RefreshRequest, new RefreshRequest()) is not { } request)
        {
            return;
        }

        var byCookie = request.RefreshToken is null ? SessionCookies.Refresh(call.Context, call.Services.Options) : null;
        var csrf = byCookie is null ? null : call.Request.Headers[SessionCookies.CsrfHeader].ToString();
        if ((request.RefreshToken ?? byCookie) is { } token
            && await call.Services.Sessions.RefreshAsync(token, csrf, call.Origin, call.Cancellation) is { } renewed
            && await call.Services.Accounts.FindAsync(renewed.Session.User, call.Cancellation) is { Status: StoredUser.Active } user && user.Stamp == renewed.Session.Stamp
            && (await call.Services.Tenants.RosterAsync(renewed.Session.Tenant, call.Cancellation)).Find(user.Id) is { } member)
        {
            await AnswerAsync(call, renewed, member.Role);
            return;
        }

        await call.ProblemAsync("sign_in_failed");
    }

    /// <summary>Whoever holds the token proves with a password that the invited e-mail is theirs to use here, or makes its account.</summary>
    private static async Task AcceptAsync(ApiCall call)
    {
        var (tenants, accounts) = (call.Services.Tenants, call.Services.Accounts);
        if (await call.TryReadAsync(RequestJson.Default.AcceptInvitationRequest) is not { } request || !await IsNameAsync(call, "/name", request.Name)
            || !await TryBeginAsync(call, SessionTokens.HashOf(request.Token)))
        {
            return;
        }

        if (await tenants.FindInvitationAsync(request.Token, call.Cancellation) is not var (tenant, invitation)
            || await tenants.EmailOfAsync(tenant, invitation, call.Cancellation) is not { } email)
        {
            await call.ProblemAsync("invitation_not_found");
            return;
        }

        // Counted for the account too: whoever invites an address many times has as many tokens, and still no more guesses at its password.
        if (!await IsPasswordAsync(call, "/password", request.Password, email) || !await TryBeginAsync(call, email))
        {
            return;
        }

        var user = await accounts.CreateInvitedAsync(email, request.Password, request.Name, invitation.Id, call.Cancellation)
            ?? (await accounts.SignInAsync(email, request.Password, call.Origin, call.Cancellation)).User;
        if (user is null)
        {
            await call.ProblemAsync("sign_in_failed");
            return;
        }

        if (!await tenants.AcceptAsync(tenant, invitation, user.Id, call.Origin, call.Cancellation))
        {
            await call.ProblemAsync("invitation_not_found");
            return;
        }

        await accounts.NoteTenantAsync(user.Id, tenant, invitation.Id, call.Cancellation);
        await OpenAsync(call, user, tenant, request.Cookie, "invitation");
    }

    private static async Task SignOutAsync(ApiCall call)
    {
        if (await TrySessionAsync(call) is { } session)
        {
            await call.Services.Sessions.EndAsync(session, StoredSession.Ended, "session.signed_out", call.Origin, call.Cancellation);
            if (session.IsCookie)
            {
                SessionCookies.Clear(call.Context, call.Services.Options);
            }

            call.Context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    private static async Task SessionAsync(ApiCall call)
    {
        if (await TrySessionAsync(call) is not { } session)
        {
            return;
        }

        var user = (await call.Services.Accounts.FindAsync(session.User, call.Cancellation))!;
        var profile = await call.Services.Accounts.ProfileAsync(user, call.Cancellation);
        var memberships = new List<TenantMembership>();
        foreach (var tenant in user.Tenants)
        {
            if ((await call.Services.Tenants.RosterAsync(tenant, call.Cancellation)).Find(user.Id) is { } member)
            {
                memberships.Add(new TenantMembership(tenant, (await call.Services.Tenants.FindAsync(tenant, call.Cancellation))?.Name ?? tenant, member.Role));
            }
        }

        var view = new SessionView(
            user.Id, profile?.Email, profile?.Name, session.Tenant, call.Caller.Role!, ScopeWords.Of(call.Caller.Scopes), memberships,
            session.IsCookie ? call.Services.Sessions.CsrfOf(session) : null);
        await call.JsonAsync(view, ContractJson.Default.SessionView);
    }

    private static async Task SwitchAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.SwitchTenantRequest) is not { } request || await TrySessionAsync(call) is not { } session)
        {
            return;
        }

        if ((await call.Services.Tenants.RosterAsync(request.Tenant, call.Cancellation)).Find(session.User) is null)
        {
            await call.ProblemAsync("forbidden", "The person does not belong to this tenant, if there is one of this id.");
            return;
        }

        await call.Services.Sessions.EndAsync(session, StoredSession.Ended, "session.signed_out", call.Origin, call.Cancellation);
        await OpenAsync(call, (await call.Services.Accounts.FindAsync(session.User, call.Cancellation))!, request.Tenant, session.IsCookie, "switch");
    }

    private static async Task ChangePasswordAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.ChangePasswordRequest) is not { } request || await TrySessionAsync(call) is not { } session)
        {
            return;
        }

        var user = await call.Services.Accounts.FindAsync(session.User, call.Cancellation);
        var email = user is null ? null : (await call.Services.Accounts.ProfileAsync(user, call.Cancellation))?.Email;
        if (!await IsPasswordAsync(call, "/new_password", request.NewPassword, email ?? "nobody@invalid") || !await TryBeginAsync(call, session.User))
        {
            return;
        }

        var present = request.CurrentPassword.Length <= Passwords.LengthMax ? request.CurrentPassword : "";
        if (!await call.Services.Accounts.ChangePasswordAsync(session.User, session.Tenant, present, request.NewPassword, call.Origin, call.Cancellation))
        {
            await call.ProblemAsync("sign_in_failed");
            return;
        }

        call.Services.Throttle.Succeed(session.User, call.Origin.Address);
        call.Context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static Task AnswerAsync(ApiCall call, OpenedSession opened, string role)
    {
        var session = opened.Session;
        var view = new SignedInView(
            session.User, session.Tenant, role, DateTimeOffset.FromUnixTimeMilliseconds(session.AccessExpiresMs), DateTimeOffset.FromUnixTimeMilliseconds(session.IdleExpiresMs));
        if (session.IsCookie)
        {
            SessionCookies.Set(call.Context, call.Services.Options, opened);
            return call.JsonAsync(view with { Csrf = opened.Csrf }, ContractJson.Default.SignedInView);
        }

        return call.JsonAsync(view with { AccessToken = opened.AccessToken, RefreshToken = opened.RefreshToken }, ContractJson.Default.SignedInView);
    }

    private static async ValueTask<StoredSession?> TrySessionAsync(ApiCall call)
    {
        if (call.Caller.Session is { } session)
        {
            return session;
        }

        await call.ProblemAsync("forbidden", "This is for a person who signed in here; the caller is a key, or was signed in elsewhere.");
        return null;
    }

    /// <summary>Counts an attempt; false when there were too many, which was answered, the same for every account, there or not.</summary>
    private static async ValueTask<bool> TryBeginAsync(ApiCall call, string account)
    {
        if (call.Services.Throttle.Begin(account, call.Origin.Address) is not { } wait)
        {
            return true;
        }

        call.Context.Response.Headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        await call.ProblemAsync("rate_limited", "Too many attempts.");
        return false;
    }

    private static Task BusyAsync(ApiCall call)
    {
        call.Context.Response.Headers.RetryAfter = "2";
        return call.ProblemAsync("rate_limited", "Too many people sign in at this moment.");
    }

    private static async ValueTask<string?> TryEmailAsync(ApiCall call, string given)
    {
        if (EmailAddress.Normalize(given) is { } email)
        {
            return email;
        }

        await call.InvalidAsync("/email", $"An e-mail has one '@' with something on both sides, and at most {EmailAddress.LengthMax} characters.");
        return null;
    }

    private static async ValueTask<bool> IsPasswordAsync(ApiCall call, string pointer, string password, string email)
    {
        if (Passwords.Problem(password, email) is not { } problem)
        {
            return true;
        }

        await call.InvalidAsync(pointer, problem);
        return false;
    }

    private static async ValueTask<bool> IsNameAsync(ApiCall call, string pointer, string? name)
    {
        if (name is null || (!string.IsNullOrWhiteSpace(name) && name.Length <= NameLengthMax && !name.Any(char.IsControl)))
        {
            return true;
        }

        await call.InvalidAsync(pointer, $"A name has 1 to {NameLengthMax} characters, none of them a control character.");
        return false;
    }
}
