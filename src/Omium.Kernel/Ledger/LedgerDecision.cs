using Omium.Kernel.Executions;

namespace Omium.Kernel.Ledger;

/// <summary>One decision in the making: a working state that every emitted event evolves.</summary>
internal sealed class LedgerDecision(LedgerState state, long atMs)
{
    /// <summary>Which part of what is available one lease may take: with little left it is shared, down to a single checkpoint.</summary>
    private const int FairShare = 8;

    /// <summary>Less than one of so many parts left is low.</summary>
    private const int LowParts = 10;

    private readonly List<LedgerEvent> _events = [];
    private LedgerState _state = state;

    public LedgerOutcome Run(PostRequests command)
    {
        var (accepted, replies) = (new List<LedgerRequest>(command.Requests.Count), new LedgerReply[command.Requests.Count]);
        BeginMonth();
        for (var index = 0; index < replies.Length; index++)
        {
            var before = _events.Count;
            replies[index] = Decide(command.Tenant, command.Requests[index]) with { Changed = _events.Count > before };
            if (_events.Count > before)
            {
                accepted.Add(command.Requests[index]);
            }
        }

        WarnIfLow();
        return new LedgerOutcome(command with { Requests = accepted }, _events, _state, replies);
    }

    private LedgerReply Decide(string tenant, LedgerRequest request) => request switch
    {
        OpenLedger r => Open(tenant, r),
        _ when _state.Tenant.Length == 0 => Refuse("ledger_not_open", "the ledger of this tenant has not begun"),
        _ when _state.Tenant != tenant => Refuse("wrong_tenant", $"this is the ledger of {_state.Tenant}, not of {tenant}"),
        ChangePlan r => Change(r),
        SetKeyCap r => SetCap(r),
        ReserveCredits r => Reserve(r),
        SettleCredits r => Settle(r),
        TopUpCredits r => TopUp(r),
        AdjustCredits r => Adjust(r),
        _ => Refuse("unknown_request", "no such request is known to this kernel"),
    };

    private static LedgerReply Refuse(string code, string message) => new(new Rejection(code, message), null, false);

    private void Emit(LedgerEvent happened)
    {
        _state = LedgerEvolver.Evolve(_state, happened, atMs);
        _events.Add(happened);
    }

    /// <summary>A new month: what is left of the old allowance is gone, the new one is there. Nobody has to ask for it.</summary>
    private void BeginMonth()
    {
        var period = Credits.PeriodOf(atMs);
        if (_state.Tenant.Length > 0 && period > _state.Period)
        {
            ExpireAllowance();
            GrantAllowance(period, _state.Plan.AllowanceMicro ?? 0);
        }
    }

    private void ExpireAllowance()
    {
        if (_state[Account.Allowance] is > 0 and var left)
        {
            Emit(new AllowanceExpired(_state.Period, [new(Account.Allowance, -left), new(Account.Expired, left)]));
        }
    }

    private void GrantAllowance(int period, long micro) =>
        Emit(new AllowanceGranted(period, micro > 0 ? [new(Account.Grants, -micro), new(Account.Allowance, micro)] : null));

    private void WarnIfLow()
    {
        if (_state is { Low: false, HighMicro: > 0, Plan.AllowanceMicro: not null } && _state.LeftMicro < _state.HighMicro / LowParts)
        {
            Emit(new CreditsLow(_state.LeftMicro, _state.HighMicro));
        }
    }

    private LedgerReply Open(string tenant, OpenLedger request)
    {
        if (_state.Tenant.Length > 0)
        {
            return default;
        }

        if (tenant.Length == 0 || Problem(request.Plan) is not null || request.WelcomeMicro is < 0 or > Credits.MicroMax / 1_000)
        {
            return Refuse("validation_failed", Problem(request.Plan) ?? "a ledger needs a tenant, and welcome credits within bounds");
        }

        Emit(new LedgerOpened(tenant));
        Emit(new PlanChanged(request.Plan));
        GrantAllowance(Credits.PeriodOf(atMs), request.Plan.AllowanceMicro ?? 0);
        return request.WelcomeMicro > 0 ? Adjust(new AdjustCredits("welcome", request.WelcomeMicro, "welcome credits", "omium")) : default;
    }

    private static string? Problem(PlanTerms plan) => plan.AllowanceMicro is < 0 or > Credits.MicroMax / 1_000 || plan.Seats < 0 || plan.Name.Length == 0
        ? "a plan has a name, an allowance within bounds and no negative seats"
        : null;

    private LedgerReply Change(ChangePlan request)
    {
        if (request.Plan == _state.Plan)
        {
            return default;
        }

        if (Problem(request.Plan) is { } problem)
        {
            return Refuse("validation_failed", problem);
        }

        var used = _state.Plan.AllowanceMicro is { } old ? Math.Max(0, old - _state[Account.Allowance]) : 0;
        ExpireAllowance();
        Emit(new PlanChanged(request.Plan));
        GrantAllowance(_state.Period, Math.Max(0, (request.Plan.AllowanceMicro ?? 0) - used));
        return default;
    }

    private LedgerReply SetCap(SetKeyCap request)
    {
        if (request.CapMicro is < 0 or > Credits.MicroMax)
        {
            return Refuse("validation_failed", "a cap is not negative");
        }

        if (_state.Keys.GetValueOrDefault(request.Key, KeyUse.None).CapMicro != request.CapMicro)
        {
            Emit(new KeyCapSet(request.Key, request.CapMicro));
        }

        return default;
    }

    private LedgerReply Reserve(ReserveCredits request)
    {
        var open = _state.Reservations.GetValueOrDefault(request.Owner);
        if (open is not null && (request.Round <= open.Round || request.Price is not null))
        {
            return new LedgerReply(null, open, false);
        }

        if (request.Round < 1 || request.NeededMicro < 0 || request.WantedMicro < Math.Max(1, request.NeededMicro) || request.WantedMicro > Credits.MicroMax)
        {
            return Refuse("validation_failed", "what is wanted is not less than what is needed, and more than nothing");
        }

        var available = request.Price is null ? _state.AvailableMicro : _state[Account.Balance];
        if (available < request.NeededMicro || available == 0)
        {
            return Refuse("CREDITS_EXHAUSTED", $"{Shown(request.NeededMicro)} are needed and {Shown(available)} are left");
        }

        var use = request.Key is { } key ? _state.Keys.GetValueOrDefault(key, KeyUse.None) : KeyUse.None;
        var room = use.CapMicro is { } cap ? Math.Max(0, cap - use.SpentMicro - use.ReservedMicro) : long.MaxValue;
        if (room < request.NeededMicro || room == 0)
        {
            return Refuse("key_cap_reached", $"the key may use {Shown(use.CapMicro!.Value)} a month; {Shown(room)} of them are left and {Shown(request.NeededMicro)} are needed");
        }

        var share = available / FairShare / Credits.CheckpointMicro * Credits.CheckpointMicro;
        var granted = Math.Min(Math.Min(request.WantedMicro, Math.Max(request.NeededMicro, share)), Math.Min(available, room));
        if (granted == 0)
        {
            granted = Math.Min(Math.Min(request.WantedMicro, Credits.CheckpointMicro), Math.Min(available, room));
        }

        Emit(new CreditsReserved(request.Owner, open?.Token ?? _state.Token + 1, request.Round, open is null ? request.Key : open.Key, request.Price, Taken(granted, request.Price is null)));
        return new LedgerReply(null, _state.Reservations[request.Owner], true);
    }

    /// <summary>Whence so much is taken to be put aside: from the allowance before the balance.</summary>
    private List<Entry> Taken(long micro, bool fromAllowance)
    {
        var entries = new List<Entry>(3);
        if (fromAllowance && _state.Plan.AllowanceMicro is null)
        {
            entries.Add(new Entry(Account.Grants, -micro));
        }
        else
        {
            var allowance = fromAllowance ? Math.Min(micro, _state[Account.Allowance]) : 0;
            Add(entries, Account.Allowance, -allowance);
            Add(entries, Account.Balance, allowance - micro);
        }

        entries.Add(new Entry(Account.Reserved, micro));
        return entries;
    }

    private static void Add(List<Entry> entries, Account account, long micro)
    {
        if (micro != 0)
        {
            entries.Add(new Entry(account, micro));
        }
    }

    private LedgerReply Settle(SettleCredits request)
    {
        if (_state.Reservations.GetValueOrDefault(request.Owner) is not { } open || open.Token != request.Token)
        {
            return default; // Settled before, or made by somebody whose reservation is not this one.
        }

        if (request.SpentMicro is < 0 or > Credits.MicroMax || request.KeptMicro < 0)
        {
            return Refuse("validation_failed", "what was used and what is kept is not negative");
        }

        var spent = open.Price is { } price ? price.Of(request.InputTokens, request.OutputTokens) : request.SpentMicro;
        var charged = Math.Max(0, spent - open.SpentMicro);
        var (rest, excess) = open.Charge(charged);
        var isOutdone = request.Round > 0 && request.Round < open.Round; // More was granted since: what it says is not needed is not what is there now.
        var kept = isOutdone ? rest : rest.Keep(request.KeptMicro);
        var isEnd = request.KeptMicro == 0 && !isOutdone;
        if (charged == 0 && kept == rest && !isEnd)
        {
            return default;
        }

        Emit(new CreditsSettled(
            request.Owner, request.Token, charged, kept.LeftMicro, isEnd, open.Price is null ? 0 : request.InputTokens, open.Price is null ? 0 : request.OutputTokens,
            Settling(open, rest, kept, charged, excess)));
        return new LedgerReply(null, null, true);
    }

    /// <summary>
    /// Charged: to what was spent; what was more than reserved is taken from the balance, and beyond it from the overdraft. Given back: where it came
    /// from, an overdraft being paid back first; the allowance of a month that is over is gone.
    /// </summary>
    private List<Entry> Settling(Reservation open, Reservation rest, Reservation kept, long charged, long excess)
    {
        var allowanceBack = rest.AllowanceMicro - kept.AllowanceMicro;
        var isOver = open.Period != _state.Period;
        var fromBalance = Math.Min(excess, _state[Account.Balance]);
        var overdraft = _state[Account.Overdraft] - (excess - fromBalance);
        var balanceBack = rest.BalanceMicro - kept.BalanceMicro;
        var paidBack = Math.Min(balanceBack, -overdraft);
        var entries = new List<Entry>(5);
        Add(entries, Account.Reserved, kept.LeftMicro - open.LeftMicro);
        Add(entries, Account.Spent, charged);
        Add(entries, Account.Balance, balanceBack - paidBack - fromBalance);
        Add(entries, Account.Overdraft, paidBack - (excess - fromBalance));
        Add(entries, isOver ? Account.Expired : Account.Allowance, allowanceBack);
        Add(entries, Account.Grants, rest.UnlimitedMicro - kept.UnlimitedMicro);
        return entries;
    }

    private LedgerReply TopUp(TopUpCredits request)
    {
        if (_state.Payments.Contains(request.Payment))
        {
            return default;
        }

        if (request.UsdCents is <= 0 or > 100_000_000 || request.Payment.Length == 0)
        {
            return Refuse("validation_failed", "a payment has an id and is of 0.01 to 1,000,000 USD");
        }

        var micro = Credits.OfUsdCents(request.UsdCents);
        var paidBack = Math.Min(micro, -_state[Account.Overdraft]);
        var entries = new List<Entry>(3) { new(Account.Payments, -micro) };
        Add(entries, Account.Overdraft, paidBack);
        Add(entries, Account.Balance, micro - paidBack);
        Emit(new CreditsToppedUp(request.Payment, request.UsdCents, entries));
        return default;
    }

    private LedgerReply Adjust(AdjustCredits request)
    {
        if (_state.Adjustments.Contains(request.Id))
        {
            return default;
        }

        if (request.Micro is 0 or < -Credits.MicroMax / 1_000 or > Credits.MicroMax / 1_000 || request.Id.Length == 0)
        {
            return Refuse("validation_failed", "an adjustment has an id, and is not 0");
        }

        var entries = new List<Entry>(3) { new(Account.Adjustments, -request.Micro) };
        if (request.Micro > 0)
        {
            var paidBack = Math.Min(request.Micro, -_state[Account.Overdraft]);
            Add(entries, Account.Overdraft, paidBack);
            Add(entries, Account.Balance, request.Micro - paidBack);
        }
        else
        {
            var taken = Math.Min(-request.Micro, _state[Account.Balance]);
            Add(entries, Account.Balance, -taken);
            Add(entries, Account.Overdraft, request.Micro + taken);
        }

        Emit(new CreditsAdjusted(request.Id, request.Reason, request.By, entries));
        return default;
    }

    private static string Shown(long micro) => micro == long.MaxValue ? "unlimited credits" : $"{new decimal(micro) / Credits.MicroPerCredit:0.######} credits";
}
