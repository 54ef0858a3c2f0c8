using Omium.Kernel.Ledger;
using Xunit;

namespace Omium.Kernel.Tests.Ledger;

/// <summary>A ledger whose every step is folded from its stored bytes and held to the laws that no decision may break.</summary>
internal sealed class LedgerHarness
{
    public const long NovemberMs = 1_794_700_000_000, DecemberMs = NovemberMs + (30L * 86_400_000);

    public long NowMs { get; set; } = NovemberMs;

    public LedgerState State { get; private set; } = LedgerState.Empty;

    public List<byte[]> Records { get; } = [];

    public List<LedgerEvent> Events { get; } = [];

    public static LedgerHarness Open(PlanTerms? plan = null, long welcomeCredits = 0)
    {
        var harness = new LedgerHarness();
        harness.Post(new OpenLedger(plan ?? new PlanTerms("pay_as_you_go", 0, 1), welcomeCredits * Credits.MicroPerCredit));
        return harness;
    }

    public LedgerReply Post(LedgerRequest request) => PostAll(request)[0];

    public IReadOnlyList<LedgerReply> PostAll(params LedgerRequest[] requests)
    {
        var outcome = LedgerKernel.Decide(State, new PostRequests(NowMs, "ten_a", requests));
        if (outcome.Events.Count == 0)
        {
            Assert.Equal(State, outcome.State);
            return outcome.Replies;
        }

        var stored = LedgerJson.Serialize(new LedgerBody(outcome.Command, outcome.Events));
        var read = LedgerJson.Deserialize(stored);
        var again = LedgerKernel.Decide(State, read.Command);
        Assert.Equal(stored, LedgerJson.Serialize(new LedgerBody(again.Command, again.Events)));
        State = LedgerKernel.Fold(State, read);
        Assert.Equal(outcome.State.Accounts, State.Accounts);
        Records.Add(stored);
        Events.AddRange(read.Events);
        Check(read.Events);
        return outcome.Replies;
    }

    public Reservation Reserve(string owner, long needed, long wanted, int round = 1, string? key = null)
    {
        var reply = Post(new ReserveCredits(owner, round, key, needed, wanted));
        Assert.Null(reply.Rejection);
        return reply.Reservation!;
    }

    public long Of(Account account) => State[account];

    private void Check(IReadOnlyList<LedgerEvent> events)
    {
        Assert.Equal(0, State.Accounts.Sum());
        Assert.All(events, happened => Assert.Equal(0, happened.Moves.Sum(entry => entry.Micro)));
        Assert.True(State[Account.Balance] >= 0 && State[Account.Allowance] >= 0 && State[Account.Reserved] >= 0 && State[Account.Spent] >= 0 && State[Account.Overdraft] <= 0);
        Assert.Equal(State[Account.Reserved], State.Reservations.Values.Sum(open => open.LeftMicro));
        Assert.True(State[Account.Overdraft] == 0 || State[Account.Balance] == 0, "an overdraft is paid back before there is a balance");
        Assert.Equal(State[Account.Reserved], State.Keys.Values.Sum(use => use.ReservedMicro) + State.Reservations.Values.Where(open => open.Key is null).Sum(open => open.LeftMicro));
    }
}
