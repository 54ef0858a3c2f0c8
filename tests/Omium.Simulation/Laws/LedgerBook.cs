using Omium.Kernel.Executions;
using Omium.Kernel.Ledger;

namespace Omium.Simulation.Laws;

/// <summary>
/// What is told of money by the records alone: entries are added up by account here, and what executions used is counted by their own records. No rule
/// of the ledger's kernel is used.
/// </summary>
internal sealed class LedgerBook
{
    private readonly Dictionary<Account, long> _accounts = Enum.GetValues<Account>().ToDictionary(account => account, _ => 0L);
    private readonly Dictionary<string, long> _used = [];
    private readonly HashSet<(string Owner, long Token)> _open = [];
    private readonly HashSet<string> _payments = [];

    public List<string> Broken { get; } = [];

    /// <summary>True once a reservation was given up because no execution knew of it: its execution may have begun all the same, after standing still for minutes.</summary>
    public bool GaveUp { get; private set; }

    /// <summary>Reservations that are open.</summary>
    public int Open => _open.Count;

    /// <summary>Charged in all.</summary>
    public long SpentMicro => _accounts[Account.Spent];

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

            switch (happened)
            {
                case CreditsReserved e:
                    _open.Add((e.Owner, e.Token));
                    break;
                case CreditsSettled { Ended: true } e:
                    GaveUp |= _open.Remove((e.Owner, e.Token)) && e.ChargedMicro == 0 && !_used.ContainsKey(e.Owner);
                    break;
                case CreditsToppedUp e when !_payments.Add(e.Payment):
                    Broken.Add($"payment {e.Payment} was credited twice");
                    break;
            }
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

    /// <summary>A record of an execution.</summary>
    public void Read(string execution, RecordBody body)
    {
        foreach (var happened in body.Events)
        {
            _used[execution] = _used.GetValueOrDefault(execution) + happened switch
            {
                CheckpointCommitted => Credits.CheckpointMicro,
                StepCommitted e when e.Step.Contains('-', StringComparison.Ordinal) => Credits.CheckpointMicro / 100,
                _ => 0,
            };
        }
    }

    /// <summary>When everything has ended.</summary>
    /// <param name="uncharged">Used by executions that ended before what they had used without a reservation was charged to another one.</param>
    public IEnumerable<string> AtTheEnd(long uncharged)
    {
        if (_accounts.Values.Sum() != 0)
        {
            yield return $"the accounts sum to {_accounts.Values.Sum()}";
        }

        if (_open.Count > 0 || _accounts[Account.Reserved] != 0)
        {
            yield return $"reserved for what has ended: {string.Join(", ", _open)}";
        }

        var used = _used.Values.Sum() - uncharged;
        if (SpentMicro > used || (!GaveUp && SpentMicro != used))
        {
            yield return $"{used} were used and {SpentMicro} charged";
        }
    }
}
