namespace Omium.Kernel.Executions;

/// <summary>
/// What an execution may begin: a step whose checkpoint is covered by what is reserved. What is not covered waits at its boundary, and the rest of the
/// execution goes on; nothing that has begun is ever stopped for want of credits.
/// </summary>
internal sealed partial class Decision
{
    private long _uncoveredMicro;

    /// <summary>True when a step's checkpoint is covered; else it is not scheduled now, and more is asked for at the end of this decision.</summary>
    private bool IsCovered(Specs.StepPlan step) => _state.Credits is not { } credits || step.CheckpointName is null || IsCovered(credits.CheckpointMicro);

    /// <summary>The same of an item to be begun.</summary>
    private bool IsItemCovered() => _state.Credits is not { } credits || IsCovered(credits.ItemMicro);

    private bool IsCovered(long micro)
    {
        if (Uncommitted() >= micro)
        {
            return true;
        }

        _uncoveredMicro = _uncoveredMicro == 0 ? micro : Math.Min(_uncoveredMicro, micro);
        return false;
    }

    /// <summary>What is reserved and neither used nor meant for what has begun; negative when something has begun without being covered.</summary>
    private long Uncommitted() => _state.Credits is { } credits ? credits.GrantedMicro - credits.SpentMicro - Begun(credits) : 0;

    /// <summary>What the visits that have begun will cost when they commit.</summary>
    private long Begun(CreditUse credits)
    {
        var micro = 0L;
        foreach (var key in _state.Open.Values)
        {
            micro += key.IsItem ? credits.ItemMicro : Plan.Step(key.Step)?.CheckpointName is null ? 0 : credits.CheckpointMicro;
        }

        return micro;
    }

    /// <summary>Asks for more when something could not begin, or had begun before and is not covered any more (a failed execution that is taken up again).</summary>
    private void AskForCredits()
    {
        if (_state is not { Status: ExecutionStatus.Running, Credits: { Requested: null } credits })
        {
            return;
        }

        var uncommitted = Uncommitted();
        if (_uncoveredMicro > 0 || uncommitted < 0)
        {
            var needed = Math.Max(1, _uncoveredMicro - uncommitted);
            Emit(new LeaseRequested(credits.Round + 1, needed, Math.Max(needed, Plan.LeaseCheckpoints * credits.CheckpointMicro)));
        }
    }

    /// <summary>Paused, or with nothing to do but to wait for people: what nobody needs meanwhile is handed back.</summary>
    private void ReturnCredits()
    {
        if (_state.Credits is not { Token: > 0 } credits || _events.Count == 0 || !(_state.Status == ExecutionStatus.Paused || WaitsForPeople()))
        {
            return;
        }

        var kept = Math.Max(0, Begun(credits));
        if (credits.GrantedMicro - credits.SpentMicro > kept)
        {
            Emit(new LeaseReturned(credits.Token, credits.SpentMicro, kept));
        }
    }

    private bool WaitsForPeople() => _state is { Status: ExecutionStatus.Running, Open.Count: > 0, DeferredSteps: null, Credits.Requested: null }
        && _state.Open.Values.All(key => Visit(key).WaitsForPerson);

    private Rejection? Grant(GrantCredits command)
    {
        if (_state is not { Ended: false, Credits.Requested: { } requested } || requested.Round != command.Round || command.GrantedMicro < 0)
        {
            return NotDue($"credits~{command.Round}");
        }

        Emit(new LeaseGranted(command.Round, command.Token, command.GrantedMicro));
        EnqueueAll();
        return null;
    }

    private Rejection? Refuse(RefuseCredits command)
    {
        if (_state is not { Ended: false, Credits: { Requested: { Effect: null } requested, RefusedCode: null } } || requested.Round != command.Round || command.Code.Length == 0)
        {
            return NotDue($"credits~{command.Round}");
        }

        Emit(new LeaseRefused(command.Round, command.Code));
        return null;
    }

    private Rejection? Await(AwaitCredits command)
    {
        if (_state is not { Status: ExecutionStatus.Running, Credits: { Requested: null } credits })
        {
            return NotDue(command.Effect);
        }

        Emit(new LeaseRequested(credits.Round + 1, command.NeededMicro, command.NeededMicro, command.Effect));
        return null;
    }
}
