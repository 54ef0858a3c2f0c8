using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Executions;

/// <summary>Verifiers: agents that must agree before a step commits, or before a call with an external effect is made.</summary>
[JsonDerivedType(typeof(VerificationRequested), "verification.requested")]
[JsonDerivedType(typeof(VerifierAnswered), "verifier.answered")]
[JsonDerivedType(typeof(VerifierFailed), "verifier.failed")]
[JsonDerivedType(typeof(VerificationAgreed), "verification.agreed")]
[JsonDerivedType(typeof(VerificationRefused), "verification.refused")]
[JsonDerivedType(typeof(VerificationSplit), "verification.split")]
[JsonDerivedType(typeof(VerificationRepeated), "verification.repeated")]
public abstract partial record ExecutionEvent;

/// <summary>Verifiers are asked, all at once.</summary>
/// <param name="Step">Step.</param>
/// <param name="Visit">Visit.</param>
/// <param name="Attempt">Attempt.</param>
/// <param name="Subject">output, or arguments of the call that is to be made.</param>
/// <param name="Value">What they judge, or a payload reference.</param>
/// <param name="ValueDigest">SHA-256 of the canonical value.</param>
/// <param name="Quorum">How many must approve.</param>
/// <param name="Of">Agents asked.</param>
/// <param name="Edges">Of an output: the outgoing edges that its commit takes.</param>
/// <param name="InputTokens">Tokens read in the turn that gave the output.</param>
/// <param name="OutputTokens">Tokens written in that turn.</param>
public sealed record VerificationRequested(
    string Step, int Visit, int Attempt, string Subject, JsonElement Value, string ValueDigest, int Quorum, IReadOnlyList<string> Of, IReadOnlyList<int>? Edges,
    long InputTokens, long OutputTokens) : ExecutionEvent;

/// <summary>A verifier's answer.</summary>
/// <param name="Effect">The question it answers.</param>
/// <param name="Agent">Agent.</param>
/// <param name="Verdict">approve, reject or abstain.</param>
/// <param name="Reason">Its reason.</param>
/// <param name="Late">True: it came when the others had decided; on record, without consequence.</param>
/// <param name="InputTokens">Tokens read.</param>
/// <param name="OutputTokens">Tokens written.</param>
public sealed record VerifierAnswered(string Effect, string Agent, string Verdict, string Reason, bool Late, long InputTokens, long OutputTokens) : ExecutionEvent;

/// <summary>A verifier gave no verdict: its model failed, or its answer was none.</summary>
/// <param name="Effect">The question.</param>
/// <param name="Agent">Agent.</param>
/// <param name="Failure">What went wrong.</param>
/// <param name="RetryDueMs">When it is asked again; null = it is not, it abstains.</param>
/// <param name="InputTokens">Tokens read.</param>
/// <param name="OutputTokens">Tokens written.</param>
public sealed record VerifierFailed(string Effect, string Agent, EffectFailure Failure, long? RetryDueMs, long InputTokens, long OutputTokens) : ExecutionEvent;

/// <summary>Enough approve: the step goes on. Those who have not answered yet are not waited for.</summary>
/// <param name="Step">Step.</param>
/// <param name="Visit">Visit.</param>
/// <param name="Attempt">Attempt.</param>
/// <param name="For">How many approve.</param>
/// <param name="Against">How many reject.</param>
/// <param name="Abstained">How many abstain.</param>
/// <param name="Dissent">Who does not approve, and why.</param>
/// <param name="By">quorum, or the person who had the last word.</param>
public sealed record VerificationAgreed(string Step, int Visit, int Attempt, int For, int Against, int Abstained, IReadOnlyList<Verdict> Dissent, string By) : ExecutionEvent;

/// <summary>More reject than approve, and the quorum is out of reach: the attempt fails.</summary>
public sealed record VerificationRefused(string Step, int Visit, int Attempt, int For, int Against, int Abstained, IReadOnlyList<Verdict> Verdicts, string By) : ExecutionEvent;

/// <summary>The quorum is out of reach, and those who reject are no majority: a person is asked.</summary>
public sealed record VerificationSplit(string Step, int Visit, int Attempt, int For, int Against, int Abstained, IReadOnlyList<Verdict> Verdicts) : ExecutionEvent;

/// <summary>A person has the verifiers asked again.</summary>
public sealed record VerificationRepeated(string Step, int Visit, int Attempt, string By) : ExecutionEvent;

/// <summary>What a verifier said.</summary>
/// <param name="Agent">Agent.</param>
/// <param name="Given">approve, reject or abstain.</param>
/// <param name="Reason">Its reason; for one that gave no verdict, what went wrong.</param>
public sealed record Verdict(string Agent, [property: JsonPropertyName("verdict")] string Given, string Reason);
