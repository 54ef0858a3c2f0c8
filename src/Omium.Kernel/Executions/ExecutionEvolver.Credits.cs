namespace Omium.Kernel.Executions;

internal static partial class ExecutionEvolver
{
    private static ExecutionState? EvolveCredits(ExecutionState state, ExecutionEvent happened) => happened switch
    {
        LeaseGranted e => state with { Credits = Granted(state, e) },
        LeaseRequested e => state.Credits is { Requested: null } credits && e.Round == credits.Round + 1
            ? state with { Credits = credits with { Requested = e } }
            : throw new CorruptLogException($"credits were requested for round {e.Round} out of turn"),
        LeaseRefused e => state.Credits is { Requested: { Effect: null } requested, RefusedCode: null } credits && e.Round == requested.Round && e.Code.Length > 0
            ? state with { Credits = credits with { RefusedCode = e.Code } }
            : throw new CorruptLogException($"credits of round {e.Round} were refused and not asked for"),
        LeaseReturned e => state.Credits is { Token: > 0 } credits && credits.Token == e.Token && credits.SpentMicro == e.SpentMicro && e.KeptMicro >= 0
            ? state with { Credits = e.KeptMicro == 0 ? credits.Closed() : credits with { GrantedMicro = e.SpentMicro + e.KeptMicro } }
            : throw new CorruptLogException($"reservation {e.Token} was handed back and is not held"),
        _ => null,
    };

    private static CreditUse Granted(ExecutionState state, LeaseGranted e)
    {
        if (state.Credits is not { } credits)
        {
            return e.Round == 1 && e.CheckpointMicro > 0
                ? new CreditUse(e.CheckpointMicro, e.ItemMicro) { Round = 1, Token = e.Token, GrantedMicro = e.GrantedMicro }
                : throw new CorruptLogException("credits were reserved for an execution that is not metered");
        }

        if (credits.Requested is not { } requested || requested.Round != e.Round)
        {
            throw new CorruptLogException($"credits of round {e.Round} were not asked for");
        }

        var next = credits with { Round = e.Round, Requested = null, RefusedCode = null };
        if (e.Token == 0)
        {
            return next;
        }

        if (next.Token == 0 && next.ClosedToken == e.Token)
        {
            // It was handed back while more was on its way: it is the same reservation still, with what was charged to it before.
            next = next with { SpentMicro = next.ClosedSpentMicro + next.SpentMicro, ClosedToken = 0, ClosedSpentMicro = 0 };
        }

        // What was used without a reservation is charged to this one.
        var before = next.Token == e.Token || next.Token == 0 ? next : next.Closed();
        return before with { Token = e.Token, GrantedMicro = e.GrantedMicro };
    }

    /// <summary>What an event costs, and that an end hands the lease back.</summary>
    private static ExecutionState Metered(ExecutionState state, ExecutionEvent happened)
    {
        if (state.Credits is not { } credits)
        {
            return state;
        }

        var cost = happened switch
        {
            CheckpointCommitted => credits.CheckpointMicro,
            StepCommitted e when ItemName.Is(e.Step) => credits.ItemMicro,
            _ => 0,
        };
        var next = cost == 0 ? credits : credits with { SpentMicro = credits.SpentMicro + cost, TotalMicro = credits.TotalMicro + cost };
        if (happened is ExecutionSucceeded or ExecutionFailed or ExecutionCancelled)
        {
            // A request under way is over with it, its number is used up: what may yet be reserved for it is not taken for an answer to a later one.
            next = next.Closed() with { Round = next.Requested?.Round ?? next.Round, Requested = null, RefusedCode = null };
        }

        return next == credits ? state : state with { Credits = next };
    }
}
