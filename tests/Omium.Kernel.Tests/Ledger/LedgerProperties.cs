using Omium.Kernel.Ledger;
using Xunit;

namespace Omium.Kernel.Tests.Ledger;

/// <summary>
/// Laws of money over drawn histories: executions that reserve, use and settle, with every message possibly lost, repeated or late, two runners for
/// one execution, payments that come twice, months that pass. The checker holds no kernel logic: what an execution used is counted by the test
/// itself, and at the end, when every one has settled, the ledger must have charged exactly that.
/// </summary>
public sealed class LedgerProperties
{
    private const int Seeds = 800;

    [Fact]
    public void Ledger_DrawnHistories_SumToZeroAndChargeEachUseOnce()
    {
        var (refused, repeated, overdrawn) = (0, 0, 0);
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var run = new Run(seed);
            run.Play();
            (refused, repeated, overdrawn) = (refused + run.Refused, repeated + run.Repeated, overdrawn + run.Overdrawn);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{Seeds} seeds: {refused} refused, {repeated} repeated or late, {overdrawn} overdrawn");
        Assert.True(refused > Seeds && repeated > Seeds && overdrawn > 0, "the drawn histories must run out of credits and repeat themselves, else they prove nothing");
    }

    private sealed class Run
    {
        private readonly Random _random;
        private readonly int _seed;
        private readonly LedgerHarness _ledger;
        private readonly List<Lessee> _lessees = [];
        private readonly List<LedgerRequest> _late = [];
        private readonly HashSet<string> _paid = [];
        private long _usedMicro, _paidCents;

        public Run(int seed)
        {
            (_seed, _random) = (seed, new Random(seed));
            var plan = _random.Next(3) switch { 0 => new PlanTerms("none", 0, 1), 1 => new PlanTerms("some", _random.Next(1, 40) * Credits.CheckpointMicro, 1), _ => new PlanTerms("all", null, 0) };
            _ledger = LedgerHarness.Open(plan, _random.Next(0, 200));
        }

        public int Refused { get; private set; }

        public int Repeated { get; private set; }

        public int Overdrawn { get; private set; }

        public void Play()
        {
            for (var round = _random.Next(40, 160); round > 0; round--)
            {
                Step();
                _ledger.NowMs += _random.Next(20) == 0 ? 20L * 86_400_000 : _random.Next(1_000);
                Overdrawn += _ledger.Of(Account.Overdraft) < 0 ? 1 : 0;
            }

            foreach (var lessee in _lessees.Where(lessee => lessee.Token > 0))
            {
                Send(lessee.Settlement(0));
            }

            foreach (var late in _late)
            {
                _ledger.Post(late is ReserveCredits ? new SettleCredits("nobody", 1, 1) : late);
            }

            Assert.True(_ledger.Of(Account.Spent) == _usedMicro, $"seed {_seed}: {_usedMicro} were used, {_ledger.Of(Account.Spent)} charged");
            Assert.True(_ledger.State.Reservations.IsEmpty, $"seed {_seed}: something is left reserved");
            Assert.Equal(-Credits.OfUsdCents(_paidCents), _ledger.Of(Account.Payments));
        }

        private void Step()
        {
            switch (_random.Next(10))
            {
                case 0:
                    var payment = $"cs_{_random.Next(12)}";
                    _paidCents += _paid.Add(payment) ? 1 : 0;
                    Send(new TopUpCredits(payment, 1));
                    break;
                case 1 or 2 or 3:
                    Begin();
                    break;
                case 4 when _late.Count > 0:
                    var late = _late[_random.Next(_late.Count)];
                    if (late is not ReserveCredits)
                    {
                        Repeated++;
                        _ledger.Post(late);
                    }

                    break;
                default:
                    if (_lessees.FindAll(lessee => lessee.Token > 0) is { Count: > 0 } open)
                    {
                        Use(open[_random.Next(open.Count)]);
                    }

                    break;
            }
        }

        private void Begin()
        {
            var isModel = _random.Next(4) == 0;
            var lessee = new Lessee($"exe_{_lessees.Count}", isModel ? new TokenPrice("m", 1, Credits.MicroPerCredit * 1_000_000, Credits.MicroPerCredit * 500_000) : null);
            var needed = isModel ? _random.Next(1, 20) * Credits.MicroPerCredit : Credits.CheckpointMicro;
            var request = new ReserveCredits(lessee.Owner, 1, _random.Next(2) == 0 ? "key_a" : null, needed, isModel ? needed : _random.Next(1, 101) * Credits.CheckpointMicro, lessee.Price);
            var reply = Send(request);
            if (reply.Rejection is not null)
            {
                Assert.Equal("CREDITS_EXHAUSTED", reply.Rejection.Code);
                Refused++;
                return;
            }

            (lessee.Token, lessee.GrantedMicro) = (reply.Reservation!.Token, reply.Reservation.GrantedMicro);
            _lessees.Add(lessee);
        }

        private void Use(Lessee lessee)
        {
            if (lessee.Price is { } price)
            {
                (lessee.Input, lessee.Output) = (_random.Next(30), _random.Next(30));
                _usedMicro += price.Of(lessee.Input, lessee.Output);
                Send(lessee.Settlement(0));
                lessee.Token = 0;
                return;
            }

            var used = Math.Min(_random.Next(0, 4) * Credits.CheckpointMicro, lessee.GrantedMicro - lessee.UsedMicro);
            (lessee.UsedMicro, _usedMicro) = (lessee.UsedMicro + used, _usedMicro + used);
            if (_random.Next(3) == 0)
            {
                Send(lessee.Settlement(0));
                lessee.Token = 0;
            }
            else
            {
                Send(lessee.Settlement(Math.Max(1, lessee.GrantedMicro - lessee.UsedMicro)));
            }
        }

        /// <summary>Sends it, perhaps twice, and keeps it to come again later.</summary>
        private LedgerReply Send(LedgerRequest request)
        {
            var reply = _ledger.Post(request);
            if (_random.Next(3) == 0)
            {
                Repeated++;
                _ledger.PostAll(request, request);
            }

            _late.Add(request);
            return reply;
        }
    }

    private sealed class Lessee(string owner, TokenPrice? price)
    {
        public string Owner { get; } = owner;

        public TokenPrice? Price { get; } = price;

        public long Token { get; set; }

        public long GrantedMicro { get; set; }

        public long UsedMicro { get; set; }

        public long Input { get; set; }

        public long Output { get; set; }

        public SettleCredits Settlement(long kept) => new(Owner, Token, UsedMicro, kept, Input, Output);
    }
}
