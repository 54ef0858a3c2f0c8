using Omium.Kernel.Executions;
using Omium.Kernel.Ledger;
using Omium.Kernel.Specs;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Laws;

/// <summary>
/// What is told of money by the records alone: entries are added up by account here, and what executions used of each reservation is counted by their own
/// records. No rule of either kernel is used.
/// </summary>
internal sealed class LedgerBook
{
    /// <summary>A reservation that no execution knows of is given up after so long, by the ledger's clock.</summary>
    public static readonly TimeSpan GivenUpAfter = TimeSpan.FromMinutes(2);

    private readonly Dictionary<Account, long> _accounts = Enum.GetValues<Account>().ToDictionary(account => account, _ => 0L);
    private readonly Dictionary<string, Purse> _purses = new(StringComparer.Ordinal);
    private readonly SortedDictionary<long, Lease> _leases = [];
    private readonly HashSet<string> _payments = [];

    public List<string> Broken { get; } = [];

    /// <summary>What the entries of each account come to.</summary>
    public IReadOnlyDictionary<Account, long> Accounts => _accounts;

    /// <summary>Reservations that are open.</summary>
    public int Open => _leases.Values.Count(lease => !lease.Ended);

    /// <summary>A record of the ledger.</summary>
    public void Read(LedgerBody body)
    {
        foreach (var happened in body.Events)
        {
            if (happened.Moves.Sum(entry => entry.Micro) != 0)
            {
                Broken.Add($"the entries of {happened} do not sum to 0");
            }

            foreach (var (account, micro) in happened.Moves)
            {
                _accounts[account] += micro;
            }

            Read(happened, body.Command.AtMs);
        }

        foreach (var account in new[] { Account.Balance, Account.Allowance, Account.Reserved, Account.Spent })
        {
            if (_accounts[account] < 0)
            {
                Broken.Add($"{account} is {_accounts[account]}");
            }
        }

        if (_accounts[Account.Overdraft] != 0)
        {
            Broken.Add($"checkpoints were overspent by {-_accounts[Account.Overdraft]}");
        }
    }

    private void Read(LedgerEvent happened, long atMs)
    {
        switch (happened)
        {
            case CreditsReserved e:
                var made = _leases.TryGetValue(e.Token, out var known) ? known : _leases[e.Token] = new Lease(e.Owner);
                if (made.Ended || made.Owner != e.Owner)
                {
                    Broken.Add($"reservation {e.Token} of {made.Owner} was given to {e.Owner} after its end");
                }

                made.TouchedMs = atMs;
                break;
            case CreditsSettled e when !_leases.TryGetValue(e.Token, out var open) || open.Ended || open.Owner != e.Owner:
                Broken.Add($"{e.Owner} settles reservation {e.Token}, which is not open");
                break;
            case CreditsSettled e:
                var lease = _leases[e.Token];
                lease.ChargedMicro += e.ChargedMicro;
                lease.GivenUp = e.Ended && lease.ChargedMicro == 0 && atMs - lease.TouchedMs >= (long)GivenUpAfter.TotalMilliseconds;
                (lease.Ended, lease.TouchedMs) = (e.Ended, atMs);
                break;
            case CreditsToppedUp e when !_payments.Add(e.Payment):
                Broken.Add($"payment {e.Payment} was credited twice");
                break;
        }
    }

    /// <summary>A record of an execution.</summary>
    public void Read(string execution, RecordBody body, DrawnWorkflow workflow)
    {
        var purse = _purses.TryGetValue(execution, out var known) ? known : _purses[execution] = new Purse();
        foreach (var happened in body.Events)
        {
            switch (happened)
            {
                case StepScheduled e when CostOf(e.Step, workflow) is > 0 and var cost && cost > purse.LeftMicro && !(body.Command is DecideReview && IsEnded(e, body)):
                    Broken.Add($"{execution} begins {e.Step} at {cost} with {purse.LeftMicro} reserved");
                    break;
                case CheckpointCommitted:
                    purse.Use(Credits.CheckpointMicro);
                    break;
                case StepCommitted e when e.Step.Contains('-', StringComparison.Ordinal):
                    purse.Use(Credits.CheckpointMicro / 100);
                    break;
                case LeaseGranted { Token: > 0 } e:
                    purse.Draw(e.Token, e.GrantedMicro);
                    break;
                case LeaseReturned { KeptMicro: > 0 } e:
                    purse.Draw(e.Token, e.SpentMicro + e.KeptMicro);
                    break;
                case LeaseReturned or ExecutionSucceeded or ExecutionFailed or ExecutionCancelled:
                    purse.Draw(0, 0);
                    break;
            }
        }
    }

    /// <summary>True when a person's decision has opened a visit only to end it: nothing was begun.</summary>
    private static bool IsEnded(StepScheduled opened, RecordBody body) => body.Events.Any(happened => happened switch
    {
        StepCommitted e => (e.Step, e.Visit) == (opened.Step, opened.Visit),
        StepFailed e => (e.Step, e.Visit) == (opened.Step, opened.Visit),
        StepSkipped e => e.Step == opened.Step,
        _ => false,
    });

    private static long CostOf(string step, DrawnWorkflow workflow) =>
        workflow.IsTraced ? TracedNames.NameOf(step) == TracedNames.Program ? 0 : Credits.CheckpointMicro : step.Contains('-', StringComparison.Ordinal) ? Credits.CheckpointMicro / 100
        : workflow.Step(step) is { Checkpoint: not "" } ? Credits.CheckpointMicro : 0;

    /// <summary>When everything has ended: nothing is reserved, and of each reservation exactly that was charged which its execution used of it.</summary>
    public IEnumerable<string> AtTheEnd()
    {
        if (_accounts.Values.Sum() != 0)
        {
            yield return $"the accounts sum to {_accounts.Values.Sum()}";
        }

        if (Open > 0 || _accounts[Account.Reserved] != 0)
        {
            yield return $"{_accounts[Account.Reserved]} are reserved for what has ended: {string.Join(", ", _leases.Where(pair => !pair.Value.Ended).Select(pair => $"{pair.Key} of {pair.Value.Owner}"))}";
        }

        if (_accounts[Account.Spent] != _leases.Values.Sum(lease => lease.ChargedMicro))
        {
            yield return $"{_accounts[Account.Spent]} were spent and {_leases.Values.Sum(lease => lease.ChargedMicro)} charged";
        }

        foreach (var (execution, purse) in _purses)
        {
            foreach (var token in purse.Used.Keys.Where(token => !_leases.TryGetValue(token, out var lease) || lease.Owner != execution))
            {
                yield return $"{execution} drew on reservation {token}, which is not its own";
            }
        }

        foreach (var (token, lease) in _leases)
        {
            // One that was given up may be drawn on all the same, when its start stood still for minutes: nobody pays for that.
            var used = _purses.GetValueOrDefault(lease.Owner)?.Used.GetValueOrDefault(token) ?? 0;
            if (used != lease.ChargedMicro && !lease.GivenUp)
            {
                yield return $"{lease.Owner} used {used} of reservation {token} and {lease.ChargedMicro} were charged";
            }
        }
    }

    /// <summary>A reservation, as the ledger's records tell of it.</summary>
    private sealed class Lease(string owner)
    {
        public string Owner { get; } = owner;

        public long ChargedMicro { get; set; }

        public long TouchedMs { get; set; }

        public bool Ended { get; set; }

        public bool GivenUp { get; set; }
    }

    /// <summary>What an execution used, by the reservation it drew on; what it used with none belongs to the next.</summary>
    private sealed class Purse
    {
        private long _token, _grantedMicro, _unassignedMicro;

        public Dictionary<long, long> Used { get; } = [];

        /// <summary>What it holds and has not used.</summary>
        public long LeftMicro => _token == 0 ? -_unassignedMicro : _grantedMicro - Used[_token];

        public void Use(long micro)
        {
            if (_token == 0)
            {
                _unassignedMicro += micro;
            }
            else
            {
                Used[_token] = Used.GetValueOrDefault(_token) + micro;
            }
        }

        public void Draw(long token, long grantedMicro)
        {
            (_token, _grantedMicro) = (token, grantedMicro);
            if (token > 0)
            {
                Used[token] = Used.GetValueOrDefault(token) + _unassignedMicro;
                _unassignedMicro = 0;
            }
        }
    }
}
