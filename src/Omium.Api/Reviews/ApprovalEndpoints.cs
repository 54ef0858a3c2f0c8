using System.Globalization;
using Microsoft.AspNetCore.Http;
using Omium.Api.Access;
using Omium.Api.Audit;
using Omium.Api.Http;
using Omium.Api.Keys;
using Omium.Contracts;
using Omium.Contracts.Reviews;

namespace Omium.Api.Reviews;

/// <summary>
/// Decisions that come from elsewhere than a signed-in person's own request: a link in a mail, a button in a chat, the event <c>approve</c> of a Durable
/// orchestration. The token is issued to whoever may decide, and using it is that person's decision, made in the same way as any other.
/// </summary>
internal static class ApprovalEndpoints
{
    private const long ExpiresInSMin = 60, ExpiresInSMax = 30 * 24 * 3_600, ExpiresInSDefault = 24 * 3_600;

    public static void Map(ApiRoutes routes)
    {
        routes.Map("POST", "/v1/reviews/{id}/approval-tokens", IssueAsync).As("issue_approval_token", "A token that decides this review in the caller's name, once.")
            .ReadsLittle(RequestJson.Default.IssueApprovalTokenRequest).Answers(ContractJson.Default.ApprovalTokenView, StatusCodes.Status201Created)
            .Refuses("review_not_found", "review_closed", "review_digest_mismatch", "decision_not_allowed");
        routes.MapOpen("POST", "/v1/approvals", ApproveAsync).As("approve_by_token", "Decides as a token says, once; it needs no key beside it.")
            .ReadsLittle(RequestJson.Default.ApproveRequest).Answers(ContractJson.Default.ReviewView)
            .Refuses(["approval_token_invalid", "forbidden", "rate_limited", .. ReviewEndpoints.Decisions]);
    }

    private static async Task IssueAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.IssueApprovalTokenRequest) is not { } request || await ReviewEndpoints.TryReviewAsync(call) is not { } found
            || !await ReviewEndpoints.TryAnswersAsync(call, found.Review))
        {
            return;
        }

        var (services, asked, decision) = (call.Services, found.Review.Request, request.Decision ?? "approve");
        var expiresInS = request.ExpiresInS ?? ExpiresInSDefault;
        if (expiresInS is < ExpiresInSMin or > ExpiresInSMax)
        {
            await call.InvalidAsync("/expires_in_s", $"'expires_in_s' is from {ExpiresInSMin} to {ExpiresInSMax}.");
        }
        else if (decision is not ("approve" or "reject"))
        {
            await call.InvalidAsync("/decision", "A token approves or rejects; what needs more than a word is decided at the review itself.");
        }
        else if (found.Review.Decided is not null || found.Review.ExpiredMs > 0)
        {
            await call.ProblemAsync("review_closed", "There is nothing left to decide.");
        }
        else if (request.Digest != asked.Digest)
        {
            await call.ProblemAsync("review_digest_mismatch", "The digest is not that of what the review shows.");
        }
        else if (!asked.Decisions.Contains(decision))
        {
            await call.ProblemAsync("decision_not_allowed", $"This review takes {string.Join(", ", asked.Decisions)}.");
        }
        else if (await services.Authenticator.FindAsync(call.Caller.Tenant, call.Caller.KeyId, call.Cancellation) is not { } issuer)
        {
            await call.ProblemAsync("forbidden", "What the caller may do is not kept here, so that no token could be held against it later.");
        }
        else
        {
            var expires = services.Time.GetUtcNow().AddSeconds(expiresInS);
            var grant = new ApprovalGrant(call.Caller.Tenant, asked.Review, asked.Digest, decision, call.Caller.KeyId, expires.ToUnixTimeMilliseconds(), issuer.Stamp);
            var detail = Acts.Detail(("decision", decision), ("digest", asked.Digest), ("execution", found.Cell.Stream.Id));
            var entry = await services.Acts.MakeAsync(call.Caller.Tenant, "review.token_issued", call.Caller.KeyId, asked.Review, detail, call.Origin, null, call.Cancellation);
            await services.Audit.AppendAsync(call.Caller.Tenant, entry, null, call.Cancellation); // On record before it exists for anybody.
            var token = await services.ApprovalTokens.IssueAsync(grant, call.Cancellation);
            var view = new ApprovalTokenView(asked.Review, token, decision, asked.Digest, DateTimeOffset.FromUnixTimeMilliseconds(grant.ExpiresMs));
            await call.JsonAsync(view, ContractJson.Default.ApprovalTokenView, StatusCodes.Status201Created);
        }
    }

    private static async Task ApproveAsync(ApiCall open)
    {
        if (await open.TryReadAsync(RequestJson.Default.ApproveRequest) is not { } request)
        {
            return;
        }

        var address = open.Origin.Address;
        if (open.Services.ApprovalThrottle.Begin(address) is { } wait)
        {
            open.Context.Response.Headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            await open.ProblemAsync("rate_limited", "Too many attempts.");
            return;
        }

        (ApprovalGrant Grant, Caller Issuer)? good = null;
        try
        {
            good = await TryGrantAsync(open, request);
        }
        finally
        {
            open.Services.ApprovalThrottle.End(address, good is not null);
        }

        if (good is not var (grant, issuer))
        {
            return;
        }

        var call = new ApiCall(open.Context, open.Services, issuer);
        if (await open.Services.Rates.TryAdmitAsync(call.Context, issuer) && await ReviewEndpoints.TryReviewAsync(call, grant.Review) is { } found)
        {
            await ReviewEndpoints.DecideAsync(call, found, new DecideReviewRequest(grant.Decision, grant.Digest));
        }
    }

    /// <summary>What a token says and in whose name, while it is good; null when it is not, which was answered.</summary>
    private static async ValueTask<(ApprovalGrant Grant, Caller Issuer)?> TryGrantAsync(ApiCall open, ApproveRequest request)
    {
        var services = open.Services;
        var grant = await services.ApprovalTokens.ReadAsync(request.ApprovalToken, open.Cancellation);
        if (grant is null || grant.Review != request.ReviewId)
        {
            await open.ProblemAsync("approval_token_invalid", "The token was not issued for this review.");
            return null;
        }

        if (services.Time.GetUtcNow().ToUnixTimeMilliseconds() >= grant.ExpiresMs)
        {
            await open.ProblemAsync("approval_token_invalid", "The time of this token is over.");
            return null;
        }

        if (await services.Authenticator.FindAsync(grant.Tenant, grant.By, open.Cancellation) is not { } issuer || !issuer.Caller.Scopes.HasFlag(Scopes.Decide))
        {
            await open.ProblemAsync("forbidden", "Whoever this token was issued to may not decide any more.");
            return null;
        }

        if (issuer.Stamp != grant.Stamp)
        {
            // Whoever had the secret may have made it, and a new secret is what is done about that.
            await open.ProblemAsync("approval_token_invalid", "The key or password of whom this token was issued to has been changed since.");
            return null;
        }

        return (grant, issuer.Caller);
    }
}
