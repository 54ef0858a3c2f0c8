using System.Collections.Immutable;

namespace Omium.Kernel.Executions;

/// <summary>Verifications of a visit.</summary>
public sealed partial record VisitState
{
    /// <summary>Verifications of every attempt, oldest first.</summary>
    public ImmutableList<VerificationState> Verifications { get; init; } = [];

    /// <summary>The verification of the current attempt; null when nobody was asked.</summary>
    public VerificationState? Verification => Verifications is [.., var newest] && newest.Request.Attempt == Attempt ? newest : null;
}

/// <summary>How a verification ended.</summary>
public enum VerificationOutcome
{
    /// <summary>Verifiers are being asked.</summary>
    Open,

    /// <summary>The step went on.</summary>
    Agreed,

    /// <summary>The attempt failed by it.</summary>
    Refused,

    /// <summary>A person is asked.</summary>
    Split,
}

/// <summary>One verification.</summary>
public sealed record VerificationState(VerificationRequested Request)
{
    /// <summary>Outcome.</summary>
    public VerificationOutcome Outcome { get; init; }

    /// <summary>What is known of each verifier, in the order asked.</summary>
    public ImmutableList<VerifierState> Verifiers { get; init; } = [];

    /// <summary>How many gave this verdict in time.</summary>
    public int Count(string verdict) => Verifiers.Count(verifier => verifier is { Late: false, Verdict: { } given } && given == verdict);

    /// <summary>How many have still to answer.</summary>
    public int Outstanding => Verifiers.Count(verifier => verifier.Verdict is null);

    /// <summary>Name of the question to a verifier (from 0) that is under way.</summary>
    public EffectId Question(int verifier) => new(Request.Step, Request.Visit, Request.Attempt, 'j', verifier + 1, 't', Verifiers[verifier].Tries + 1);
}

/// <summary>What is known of a verifier.</summary>
public sealed record VerifierState(string Agent)
{
    /// <summary>approve, reject or abstain; null while it has not answered.</summary>
    public string? Verdict { get; init; }

    /// <summary>Its reason.</summary>
    public string Reason { get; init; } = "";

    /// <summary>True when its answer came after the decision.</summary>
    public bool Late { get; init; }

    /// <summary>Questions answered so far, whatever the answer.</summary>
    public int Tries { get; init; }

    /// <summary>Questions of this round that gave no verdict.</summary>
    public int FailedTries { get; init; }

    /// <summary>When it may be asked (again), Unix ms.</summary>
    public long DueMs { get; init; }
}
