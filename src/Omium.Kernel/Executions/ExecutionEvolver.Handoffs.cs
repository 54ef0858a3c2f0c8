using System.Collections.Immutable;

namespace Omium.Kernel.Executions;

/// <summary>What the events of handoffs change.</summary>
internal static partial class ExecutionEvolver
{
    private static ExecutionState? EvolveHandoffs(ExecutionState state, ExecutionEvent happened, long atMs) => happened switch
    {
        HandoffProposed e => Proposed(state, e),
        HandoffMeasured e => WithHandoff(state, e.Edge, e.Step, e.Visit, handoff => Measured(handoff, e)),
        HandoffAcknowledged e => WithHandoff(state, e.Edge, e.Step, e.Visit, handoff => handoff with { AcknowledgedBy = e.By }),
        HandoffAgreed e => CloseHandoff(state, e.Edge, e.Step, e.Visit, handoff => handoff with { Status = HandoffStatus.Agreed }),
        HandoffDisputed e => WithHandoff(state, e.Edge, e.Step, e.Visit, handoff => handoff with { Status = HandoffStatus.Disputed, Dispute = e, DisputedMs = atMs }),
        HandoffRepeated e => WithHandoff(state, e.Edge, e.Step, e.Visit, handoff => handoff with
        {
            Status = HandoffStatus.Proposed, Round = e.Round, Claims = [.. handoff.Claims.Select(Unmeasured)],
        }),
        HandoffRevoked e => CloseHandoff(state, e.Edge, e.Step, e.Visit, handoff => handoff with { Status = HandoffStatus.Revoked }),
        _ => null,
    };

    private static ExecutionState Proposed(ExecutionState state, HandoffProposed e)
    {
        var handoff = new HandoffState(e, state.HandoffsProposed + 1) { Claims = [.. e.Claims.Select(claim => new ClaimState(claim))] };
        return state.Handoffs.ContainsKey(handoff.Key)
            ? throw new CorruptLogException($"handoff {handoff.Key} was proposed twice")
            : state with { HandoffsProposed = handoff.Ordinal, Handoffs = state.Handoffs.Add(handoff.Key, handoff), OpenHandoffs = state.OpenHandoffs.Add(handoff.Ordinal, handoff.Key) };
    }

    private static HandoffState Measured(HandoffState handoff, HandoffMeasured e)
    {
        var at = handoff.Claims.FindIndex(claim => claim.Claim.Name == e.Claim);
        if (at < 0)
        {
            throw new CorruptLogException($"handoff {handoff.Key} makes no claim {e.Claim}");
        }

        var claim = handoff.Claims[at];
        return handoff with
        {
            Claims = handoff.Claims.SetItem(at, claim with
            {
                Measured = e.RetryDueMs is null,
                Seen = e.Seen,
                Failure = e.Failure,
                Tries = claim.Tries + 1,
                FailedTries = claim.FailedTries + (e.Failure is null ? 0 : 1),
                DueMs = e.RetryDueMs ?? 0,
            }),
        };
    }

    /// <summary>What an expression sees of a message never changes; what is measured outside does.</summary>
    private static ClaimState Unmeasured(ClaimState claim) =>
        claim.Claim.By == "expression" ? claim : claim with { Measured = false, Seen = null, Failure = null, FailedTries = 0, DueMs = 0 };

    private static ExecutionState WithHandoff(ExecutionState state, int edge, string step, int visit, Func<HandoffState, HandoffState> change)
    {
        var key = new HandoffKey(edge, new VisitKey(step, visit));
        return state.Handoffs.TryGetValue(key, out var handoff)
            ? state with { Handoffs = state.Handoffs.SetItem(key, change(handoff)) }
            : throw new CorruptLogException($"no handoff {key} was proposed");
    }

    private static ExecutionState CloseHandoff(ExecutionState state, int edge, string step, int visit, Func<HandoffState, HandoffState> change)
    {
        var next = WithHandoff(state, edge, step, visit, change);
        return next with { OpenHandoffs = next.OpenHandoffs.Remove(next.Handoffs[new HandoffKey(edge, new VisitKey(step, visit))].Ordinal) };
    }

    /// <summary>A person's rejection of a handoff is part of its state: the execution ends by it as soon as it runs.</summary>
    private static ExecutionState RejectHandoff(ExecutionState state, ReviewRequested request, string decision) =>
        request.Kind == "handoff" && decision == "reject" && EffectId.TryParse(request.Effect ?? "", out var id)
            ? WithHandoff(state, id.Number - 1, id.Step, id.Visit, handoff => handoff with { Status = HandoffStatus.Rejected })
            : state;
}
