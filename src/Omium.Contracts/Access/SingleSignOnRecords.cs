namespace Omium.Contracts.Access;

/// <summary>Body of <c>PUT /v1/sso</c>.</summary>
/// <param name="Issuer">The issuer, an https address, exactly as its discovery document names itself.</param>
/// <param name="ClientId">Client id at the issuer; its redirect address is <c>{origin}/v1/auth/oidc/callback</c>.</param>
/// <param name="ClientSecret">Client secret; absent = the one set before, or a public client (PKCE is used either way).</param>
/// <param name="EmailDomains">Who may come in: verified e-mails of these domains; absent = everybody whom the issuer lets in.</param>
/// <param name="Role">Role of who comes in for the first time, but not admin; default viewer.</param>
public sealed record SetSingleSignOnRequest(string Issuer, string ClientId, string? ClientSecret = null, IReadOnlyList<string>? EmailDomains = null, string? Role = null)
{
    /// <summary>Without the secret, wherever a record is printed.</summary>
    public override string ToString() => nameof(SetSingleSignOnRequest);
}

/// <summary>How a tenant's people sign in elsewhere.</summary>
/// <param name="Issuer">The issuer.</param>
/// <param name="ClientId">Client id.</param>
/// <param name="HasClientSecret">Whether there is a secret; it is never answered.</param>
/// <param name="EmailDomains">Domains whose verified e-mails may come in; empty = no restriction.</param>
/// <param name="Role">Role of who comes in for the first time.</param>
/// <param name="StartPath">Where a browser begins.</param>
public sealed record SingleSignOnView(string Issuer, string ClientId, bool HasClientSecret, IReadOnlyList<string> EmailDomains, string Role, string StartPath);
