using System.Collections.Immutable;
using System.Text.Json;

namespace Omium.Kernel.Executions;

/// <summary>Handoffs of an execution.</summary>
public sealed partial record ExecutionState
{
    /// <summary>Handoffs by edge and sender's visit.</summary>
    public ImmutableDictionary<HandoffKey, HandoffState> Handoffs { get; init; } = ImmutableDictionary<HandoffKey, HandoffState>.Empty;

    /// <summary>How many were ever proposed, those over edges that are gone included: the place of the next in their order.</summary>
    public int HandoffsProposed { get; init; }

    /// <summary>Handoffs that are neither agreed nor revoked, in the order they were proposed.</summary>
    public ImmutableSortedDictionary<int, HandoffKey> OpenHandoffs { get; init; } = ImmutableSortedDictionary<int, HandoffKey>.Empty;

    /// <summary>Open handoffs whose sender stands as it was: those that hold their receiver back.</summary>
    public IEnumerable<HandoffState> LiveHandoffs => OpenHandoffs.IsEmpty ? [] : OpenHandoffs.Values.Select(key => Handoffs[key]).Where(IsLive);

    /// <summary>Disputed handoffs that nothing has answered yet, the newest last.</summary>
    public IEnumerable<HandoffState> DisputedHandoffs => OpenHandoffs.IsEmpty ? [] : LiveHandoffs.Where(handoff => handoff.Status is HandoffStatus.Disputed or HandoffStatus.Rejected);

    /// <summary>True while the visit that sent it is the one that stands: a loop that runs the sender anew sets what it sent aside.</summary>
    public bool IsLive(HandoffState handoff) =>
        Visits[handoff.Key.From] is { Status: VisitStatus.Committed, Detached: false } && StandingVisit(handoff.Key.From.Step)?.Key == handoff.Key.From;

    /// <summary>True when nothing is agreed on over this edge from this visit, although something must be.</summary>
    internal bool AwaitsAgreement(Specs.EdgePlan edge, VisitKey from) =>
        edge.Handoff is not null && Handoffs.GetValueOrDefault(new HandoffKey(edge.Index, from)) is not { Status: HandoffStatus.Agreed };
}

/// <summary>What names a handoff.</summary>
public readonly record struct HandoffKey(int Edge, VisitKey From)
{
    /// <inheritdoc/>
    public override string ToString() => $"{From}~h{Edge + 1}";
}

/// <summary>Status of a handoff.</summary>
public enum HandoffStatus
{
    /// <summary>Being measured.</summary>
    Proposed,

    /// <summary>Agreed: the receiver may start.</summary>
    Agreed,

    /// <summary>The views differ; a person is asked.</summary>
    Disputed,

    /// <summary>A person rejected it: the execution ends.</summary>
    Rejected,

    /// <summary>The sender was taken back.</summary>
    Revoked,
}

/// <summary>One handoff.</summary>
public sealed record HandoffState(HandoffProposed Proposal, int Ordinal)
{
    /// <summary>Its name.</summary>
    public HandoffKey Key => new(Proposal.Edge, new VisitKey(Proposal.Step, Proposal.Visit));

    /// <summary>Status.</summary>
    public HandoffStatus Status { get; init; }

    /// <summary>How often it was measured, the time under way included.</summary>
    public int Round { get; init; } = 1;

    /// <summary>Who acknowledged it last; null before.</summary>
    public string? AcknowledgedBy { get; init; }

    /// <summary>What is known of each claim, in the order of <see cref="HandoffProposed.Claims"/>.</summary>
    public ImmutableList<ClaimState> Claims { get; init; } = [];

    /// <summary>The newest dispute, with its time; null when there was none.</summary>
    public HandoffDisputed? Dispute { get; init; }

    /// <summary>When the newest dispute arose, Unix ms.</summary>
    public long DisputedMs { get; init; }

    /// <summary>Name of what the receiving worker acknowledges: <c>step~visit~round~h{edge}</c>.</summary>
    public EffectId Acknowledgement => new(Key.From.Step, Key.From.Visit, Round, 'h', Key.Edge + 1, '\0');

    /// <summary>Name of the measurement of a claim (from 0) that is under way: <c>step~visit~try~h{edge}~k{claim}</c>, edges and claims counted from 1.</summary>
    public EffectId Measurement(int claim) => new(Key.From.Step, Key.From.Visit, Claims[claim].Tries + 1, 'h', Key.Edge + 1, 'k', claim + 1);
}

/// <summary>What is known of a claim.</summary>
public sealed record ClaimState(HandoffClaim Claim)
{
    /// <summary>True when the newest measurement is over.</summary>
    public bool Measured { get; init; }

    /// <summary>What was seen; null when it is JSON null or nothing was.</summary>
    public JsonElement? Seen { get; init; }

    /// <summary>Why nothing was seen.</summary>
    public EffectFailure? Failure { get; init; }

    /// <summary>Measurements answered so far.</summary>
    public int Tries { get; init; }

    /// <summary>Failed measurements since the round began.</summary>
    public int FailedTries { get; init; }

    /// <summary>When it may be measured (again), Unix ms.</summary>
    public long DueMs { get; init; }

    /// <summary>True when what is said is what is seen.</summary>
    public bool Agrees => Failure is null && Said.AsSpan().SequenceEqual(Saw);

    private byte[] Said => Json.CanonicalJson.Canonicalize(Claim.Said);

    private byte[] Saw => Json.CanonicalJson.Canonicalize(Seen ?? Json.JsonMake.Null);
}
