namespace Omium.Contracts.Reviews;

/// <summary>Body of <c>POST /v1/reviews/{id}/approval-tokens</c>.</summary>
/// <param name="Digest">The review's digest as shown: the token decides that and nothing else.</param>
/// <param name="Decision">approve (default) or reject.</param>
/// <param name="ExpiresInS">How long it can be used, seconds: 60 to 2,592,000 (30 days); default 86,400 (a day).</param>
public sealed record IssueApprovalTokenRequest(string Digest, string? Decision = null, long? ExpiresInS = null);

/// <summary>A decision that was made ready: whoever sends it decides in the name of whom it was issued to, once.</summary>
/// <param name="ReviewId">The review.</param>
/// <param name="ApprovalToken">Secret; it cannot be had again. With the review's id it is the body of <c>POST /v1/approvals</c> and the data of the event <c>approve</c>.</param>
/// <param name="Decision">What it decides.</param>
/// <param name="Digest">What it decides about.</param>
/// <param name="ExpiresAt">After this time it is refused.</param>
public sealed record ApprovalTokenView(
    string ReviewId, string ApprovalToken, [property: Words("approve", "reject")] string Decision, string Digest, DateTimeOffset ExpiresAt);

/// <summary>Body of <c>POST /v1/approvals</c>, and data of the event <c>approve</c>.</summary>
/// <param name="ReviewId">The review.</param>
/// <param name="ApprovalToken">As issued.</param>
public sealed record ApproveRequest(string ReviewId, string ApprovalToken);
