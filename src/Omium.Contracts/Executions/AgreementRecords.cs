using System.Text.Json;

namespace Omium.Contracts.Executions;

/// <summary>What one step handed to another, and whether both sides agree on it.</summary>
/// <param name="From">Sender.</param>
/// <param name="Visit">Its visit.</param>
/// <param name="To">Receiver.</param>
/// <param name="Status">proposed, agreed, disputed, rejected or revoked.</param>
/// <param name="Round">How often it was measured, the time under way included.</param>
/// <param name="AcknowledgedBy">Who acknowledged it last: omium, or a worker's id.</param>
/// <param name="Message">The message, exactly as delivered.</param>
/// <param name="MessageDigest">SHA-256 of its canonical form.</param>
/// <param name="Claims">Both views of every claim.</param>
public sealed record HandoffView(
    string From, int Visit, string To, [property: Words("proposed", "agreed", "disputed", "rejected", "revoked")] string Status, int Round, string? AcknowledgedBy, JsonElement? Message, string MessageDigest, IReadOnlyList<ClaimView> Claims);

/// <summary>Both views of a claim.</summary>
/// <param name="Name">Name.</param>
/// <param name="Said">What the sender states.</param>
/// <param name="Seen">What was measured; absent while nothing was.</param>
/// <param name="MeasuredBy">expression, tool or receiver.</param>
/// <param name="Agrees">Whether they are equal; absent while it is being measured.</param>
/// <param name="Problem">Why nothing was measured.</param>
public sealed record ClaimView(string Name, JsonElement Said, JsonElement? Seen, string MeasuredBy, bool? Agrees, string? Problem);

/// <summary>What the verifiers of an attempt said.</summary>
/// <param name="Attempt">Attempt.</param>
/// <param name="Subject">output, or arguments of the call that was to be made.</param>
/// <param name="Status">open, agreed, refused or split.</param>
/// <param name="Quorum">How many must approve.</param>
/// <param name="Verdicts">Every verifier, with its verdict once it has answered.</param>
public sealed record VerificationView(int Attempt, string Subject, [property: Words("open", "agreed", "refused", "split")] string Status, int Quorum, IReadOnlyList<VerdictView> Verdicts);

/// <summary>What a verifier said.</summary>
/// <param name="Agent">Agent.</param>
/// <param name="Verdict">approve, reject or abstain; absent while it has not answered.</param>
/// <param name="Reason">Its reason.</param>
/// <param name="Late">True: it came when the others had decided, and had no consequence.</param>
public sealed record VerdictView(string Agent, string? Verdict, string? Reason, bool Late);
