namespace Omium.Contracts.Access;

/// <summary>Body of <c>POST /v1/auth/signup</c>.</summary>
/// <param name="Email">E-mail, at most 254 characters.</param>
/// <param name="Password">12 to 256 characters.</param>
/// <param name="Name">What people call the person, at most 100 characters.</param>
/// <param name="Organization">Name of the tenant that is made with the account, at most 100 characters; default Personal.</param>
public sealed record SignUpRequest(string Email, string Password, string? Name = null, string? Organization = null);

/// <summary>Answer to a sign-up, the same whether the e-mail has an account or not.</summary>
/// <param name="Status">accepted.</param>
/// <param name="MailSent">True: the account counts once its mail was answered with POST /v1/auth/verify. False: sign in now.</param>
public sealed record SignUpView(string Status, bool MailSent);

/// <summary>Body of <c>POST /v1/auth/verify</c>.</summary>
/// <param name="Token">The code of the mail.</param>
/// <param name="Password">The password of the sign-up.</param>
/// <param name="Cookie">True: the session lives in cookies.</param>
public sealed record VerifySignUpRequest(string Token, string Password, bool Cookie = false);

/// <summary>Body of <c>POST /v1/auth/login</c>.</summary>
/// <param name="Email">E-mail.</param>
/// <param name="Password">Password.</param>
/// <param name="Tenant">Tenant to work in; default the first one joined.</param>
/// <param name="Cookie">True: the session lives in cookies, for a console that shares the API's origin.</param>
public sealed record SignInRequest(string Email, string Password, string? Tenant = null, bool Cookie = false);

/// <summary>Body of <c>POST /v1/auth/refresh</c>.</summary>
/// <param name="RefreshToken">The refresh token, good once; absent where the session lives in cookies.</param>
public sealed record RefreshRequest(string? RefreshToken = null);

/// <summary>Body of <c>POST /v1/auth/switch</c>.</summary>
/// <param name="Tenant">Tenant to work in.</param>
public sealed record SwitchTenantRequest(string Tenant);

/// <summary>Body of <c>POST /v1/auth/password</c>.</summary>
/// <param name="CurrentPassword">The present one.</param>
/// <param name="NewPassword">The next one, 12 to 256 characters.</param>
public sealed record ChangePasswordRequest(string CurrentPassword, string NewPassword);

/// <summary>
/// Body of <c>POST /v1/auth/accept</c>. The password is that of the account which the invited e-mail has; where it has none, one is made with it.
/// </summary>
/// <param name="Token">The invitation's token.</param>
/// <param name="Password">Password.</param>
/// <param name="Name">Name of a new account.</param>
/// <param name="Cookie">True: the session lives in cookies.</param>
public sealed record AcceptInvitationRequest(string Token, string Password, string? Name = null, bool Cookie = false);

/// <summary>A session that was opened or renewed. With cookies the tokens are in these and not here.</summary>
/// <param name="User">User id.</param>
/// <param name="Tenant">Tenant that the session works in.</param>
/// <param name="Role">Role there.</param>
/// <param name="AccessExpiresAt">Until when the access token is good.</param>
/// <param name="RefreshExpiresAt">Until when the session can be renewed.</param>
/// <param name="AccessToken"><c>oms_...</c>, sent as <c>Authorization: Bearer</c>.</param>
/// <param name="RefreshToken">Good once; each renewal gives another.</param>
/// <param name="Csrf">With cookies: to be sent as header <c>Omium-Csrf</c> with everything but GET and HEAD.</param>
public sealed record SignedInView(
    string User, string Tenant, string Role, DateTimeOffset AccessExpiresAt, DateTimeOffset RefreshExpiresAt, string? AccessToken = null, string? RefreshToken = null,
    string? Csrf = null);

/// <summary>Who is signed in.</summary>
/// <param name="User">User id.</param>
/// <param name="Email">E-mail; null where it is not known.</param>
/// <param name="Name">Name, if given.</param>
/// <param name="Tenant">Tenant that the session works in.</param>
/// <param name="Role">Role there.</param>
/// <param name="Scopes">What the role may do.</param>
/// <param name="Tenants">Tenants that the person belongs to.</param>
/// <param name="Csrf">With cookies: what to send as header <c>Omium-Csrf</c>.</param>
public sealed record SessionView(
    string User, string? Email, string? Name, string Tenant, string Role, IReadOnlyList<string> Scopes, IReadOnlyList<TenantMembership> Tenants, string? Csrf = null);

/// <summary>A tenant that somebody belongs to.</summary>
/// <param name="Tenant">Tenant id.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Role">Role there.</param>
public sealed record TenantMembership(string Tenant, string Name, string Role);

/// <summary>A member of the tenant.</summary>
/// <param name="Id">User id.</param>
/// <param name="Email">E-mail; null once the person's data was erased.</param>
/// <param name="Name">Name, if given.</param>
/// <param name="Role">viewer, operator, approver or admin.</param>
/// <param name="Teams">Names that a policy's <c>escalate_to</c> may name beside the roles.</param>
/// <param name="JoinedAt">Since when.</param>
public sealed record MemberView(string Id, string? Email, string? Name, string Role, IReadOnlyList<string> Teams, DateTimeOffset JoinedAt);

/// <summary>Body of <c>PUT /v1/members/{id}</c>.</summary>
/// <param name="Role">viewer, operator, approver or admin.</param>
/// <param name="Teams">Names, each 1 to 64 of a-z, 0-9, _ and -; default those they have.</param>
public sealed record ChangeMemberRequest(string Role, IReadOnlyList<string>? Teams = null);

/// <summary>Body of <c>POST /v1/invitations</c>.</summary>
/// <param name="Email">Who is invited; nobody else can accept.</param>
/// <param name="Role">viewer, operator, approver or admin.</param>
/// <param name="Teams">Names, each 1 to 64 of a-z, 0-9, _ and -; default none.</param>
public sealed record InviteRequest(string Email, string Role, IReadOnlyList<string>? Teams = null);

/// <summary>An invitation that nobody has accepted yet.</summary>
/// <param name="Id">Id.</param>
/// <param name="Email">Who is invited.</param>
/// <param name="Role">Role they get.</param>
/// <param name="Teams">Teams they get.</param>
/// <param name="InvitedBy">By whom.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="ExpiresAt">Until when it can be accepted.</param>
/// <param name="Token">What the invited person accepts with, only in the answer that made it.</param>
public sealed record InvitationView(
    string Id, string? Email, string Role, IReadOnlyList<string> Teams, string InvitedBy, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, string? Token = null);
