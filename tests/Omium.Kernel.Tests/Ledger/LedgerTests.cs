using Omium.Kernel.Executions;
using Omium.Kernel.Ledger;
using Xunit;

namespace Omium.Kernel.Tests.Ledger;

public sealed class LedgerTests
{
    private const long Credit = Credits.MicroPerCredit, Checkpoint = Credits.CheckpointMicro;

    private static readonly PlanTerms Small = new("starter", 20 * Checkpoint, 1);

    [Fact]
    public void Units_ADollar_IsAThousandCredits()
    {
        Assert.Equal(20_000 * Credit, Credits.OfUsdCents(2_000));
        Assert.Equal(5 * Credit, Credits.CheckpointMicro);
        Assert.Equal(Credits.CheckpointMicro, 100 * Credits.ItemMicro);
        Assert.Equal(-1, Credits.Whole(-1));
        Assert.Equal(0, Credits.Whole(Credit - 1));
        Assert.Equal(202612, Credits.PeriodOf(LedgerHarness.DecemberMs));
    }

    [Fact]
    public void Price_OfTokens_IsRoundedUpOnceAndNeverOverflows()
    {
        var price = new TokenPrice("m", 1, 3_000 * Credit, 12_000 * Credit);
        Assert.Equal(3_000, price.Of(1, 0));
        Assert.Equal(15_000, price.Of(1, 1));
        Assert.Equal(1, new TokenPrice("m", 1, 1, 1).Of(1, 0));
        Assert.Equal(Credits.MicroMax, price.Of(long.MaxValue, long.MaxValue));
        Assert.Equal(0, price.Of(-5, -5));
    }

    [Fact]
    public void Open_Twice_GivesTheWelcomeOnce()
    {
        var ledger = LedgerHarness.Open(welcomeCredits: 100);
        Assert.False(ledger.Post(new OpenLedger(Small, 100 * Credit)).Changed);
        Assert.Equal(100 * Credit, ledger.Of(Account.Balance));
        Assert.Equal("pay_as_you_go", ledger.State.Plan.Name);
    }

    [Fact]
    public void Reserve_BeforeTheLedgerBegan_IsRefused() =>
        Assert.Equal("ledger_not_open", new LedgerHarness().Post(new ReserveCredits("exe_1", 1, null, Checkpoint, Checkpoint)).Rejection!.Code);

    [Fact]
    public void TopUp_TheSamePaymentAgain_IsCreditedOnce()
    {
        var ledger = LedgerHarness.Open();
        Assert.True(ledger.Post(new TopUpCredits("cs_1", 2_000)).Changed);
        Assert.All(ledger.PostAll(new TopUpCredits("cs_1", 2_000), new TopUpCredits("cs_1", 9_900)), reply => Assert.False(reply.Changed));
        Assert.Equal(20_000 * Credit, ledger.Of(Account.Balance));
        Assert.Equal(-20_000 * Credit, ledger.Of(Account.Payments));
    }

    [Fact]
    public void Settle_WhatWasUsed_IsChargedAndTheRestComesBack()
    {
        var ledger = LedgerHarness.Open(welcomeCredits: 1_000);
        var lease = ledger.Reserve("exe_1", Checkpoint, 5 * Checkpoint);
        Assert.Equal(5 * Checkpoint, lease.GrantedMicro);
        Assert.True(ledger.Post(new SettleCredits("exe_1", lease.Token, 3 * Checkpoint)).Changed);
        Assert.Equal((985 * Credit, 0, 15 * Credit), (ledger.Of(Account.Balance), ledger.Of(Account.Reserved), ledger.Of(Account.Spent)));
        Assert.False(ledger.Post(new SettleCredits("exe_1", lease.Token, 3 * Checkpoint)).Changed);
        Assert.Empty(ledger.State.Reservations);
    }

    [Fact]
    public void Settle_ALateOneOfAnEarlierReservation_DoesNotTouchTheNext()
    {
        var ledger = LedgerHarness.Open(welcomeCredits: 1_000);
        var first = ledger.Reserve("exe_1", Checkpoint, Checkpoint);
        ledger.Post(new SettleCredits("exe_1", first.Token, Checkpoint));
        var second = ledger.Reserve("exe_1", Checkpoint, Checkpoint, round: 2);
        Assert.NotEqual(first.Token, second.Token);
        Assert.False(ledger.Post(new SettleCredits("exe_1", first.Token, Checkpoint)).Changed);
        Assert.Equal(5 * Credit, ledger.Of(Account.Spent));
    }

    [Fact]
    public void Settle_TotalsSaidOutOfOrder_ChargeEachCheckpointOnce()
    {
        var ledger = LedgerHarness.Open(welcomeCredits: 1_000);
        var lease = ledger.Reserve("exe_1", Checkpoint, 10 * Checkpoint);
        ledger.Post(new SettleCredits("exe_1", lease.Token, 6 * Checkpoint, KeptMicro: 4 * Checkpoint));
        Assert.False(ledger.Post(new SettleCredits("exe_1", lease.Token, 2 * Checkpoint, KeptMicro: 8 * Checkpoint)).Changed);
        Assert.Equal(30 * Credit, ledger.Of(Account.Spent));
        Assert.Equal(20 * Credit, ledger.Of(Account.Reserved));
    }

    [Fact]
    public void Reserve_TheSameRoundAgain_IsTheSameReservation()
    {
        var ledger = LedgerHarness.Open(welcomeCredits: 1_000);
        var lease = ledger.Reserve("exe_1", Checkpoint, 2 * Checkpoint);
        Assert.Equal(lease, ledger.Reserve("exe_1", Checkpoint, 2 * Checkpoint));
        var more = ledger.Reserve("exe_1", Checkpoint, 3 * Checkpoint, round: 2);
        Assert.Equal((lease.Token, 5 * Checkpoint), (more.Token, more.GrantedMicro));
    }

    [Fact]
    public void Settle_OfAnEarlierRound_ChargesAndLeavesWhatWasGrantedSince()
    {
        var ledger = LedgerHarness.Open(welcomeCredits: 1_000);
        var lease = ledger.Reserve("exe_1", Checkpoint, 2 * Checkpoint);
        ledger.Reserve("exe_1", Checkpoint, 3 * Checkpoint, round: 2);
        ledger.Post(new SettleCredits("exe_1", lease.Token, Checkpoint, KeptMicro: Checkpoint, Round: 1));
        Assert.Equal((5 * Credit, 4 * Checkpoint), (ledger.Of(Account.Spent), ledger.Of(Account.Reserved)));
        ledger.Post(new SettleCredits("exe_1", lease.Token, 2 * Checkpoint, KeptMicro: 0, Round: 1));
        Assert.Equal((10 * Credit, 3 * Checkpoint), (ledger.Of(Account.Spent), ledger.Of(Account.Reserved)));
        ledger.Post(new SettleCredits("exe_1", lease.Token, 2 * Checkpoint));
        Assert.Empty(ledger.State.Reservations);
    }

    [Fact]
    public void Reserve_AHundredOnTheLastCredits_OneGetsThem()
    {
        var ledger = LedgerHarness.Open(welcomeCredits: 5);
        var replies = ledger.PostAll([.. Enumerable.Range(0, 100).Select(n => new ReserveCredits($"exe_{n}", 1, null, Checkpoint, 5 * Checkpoint))]);
        Assert.Single(replies, reply => reply.Reservation is not null);
        Assert.Equal(99, replies.Count(reply => reply.Rejection is { Code: "CREDITS_EXHAUSTED" }));
        Assert.Equal((0, 5 * Credit), (ledger.Of(Account.Balance), ledger.Of(Account.Reserved)));
    }

    [Fact]
    public void Reserve_WithLittleLeft_GivesAFairShareDownToOne()
    {
        var ledger = LedgerHarness.Open(welcomeCredits: 100); // 20 checkpoints.
        Assert.Equal(2 * Checkpoint, ledger.Reserve("exe_1", Checkpoint, 100 * Checkpoint).GrantedMicro);
        Assert.Equal(2 * Checkpoint, ledger.Reserve("exe_2", Checkpoint, 100 * Checkpoint).GrantedMicro);
        Assert.Equal(2 * Checkpoint, ledger.Reserve("exe_3", Checkpoint, 100 * Checkpoint).GrantedMicro);
        Assert.Equal(Checkpoint, ledger.Reserve("exe_4", Checkpoint, 100 * Checkpoint).GrantedMicro);
    }

    [Fact]
    public void Allowance_ComesBeforeTheBalanceAndEndsWithItsMonth()
    {
        var ledger = LedgerHarness.Open(Small, welcomeCredits: 1_000);
        var lease = ledger.Reserve("exe_1", 25 * Checkpoint, 25 * Checkpoint);
        Assert.Equal((0, 975 * Credit), (ledger.Of(Account.Allowance), ledger.Of(Account.Balance)));
        ledger.NowMs = LedgerHarness.DecemberMs;
        ledger.Post(new SettleCredits("exe_1", lease.Token, 10 * Checkpoint));
        Assert.Equal(20 * Checkpoint, ledger.Of(Account.Allowance)); // December's, granted by the first request in it.
        Assert.Equal(1_000 * Credit, ledger.Of(Account.Balance));
        Assert.Equal(10 * Checkpoint, ledger.Of(Account.Expired)); // Of November's, what the run did not use.
    }

    [Fact]
    public void Allowance_IsNotForTokens()
    {
        var ledger = LedgerHarness.Open(Small, welcomeCredits: 1);
        var price = new TokenPrice("m", 1, Credit, Credit);
        Assert.Equal("CREDITS_EXHAUSTED", ledger.Post(new ReserveCredits("exe_1/a~1~1~m1", 1, null, 2 * Credit, 2 * Credit, price)).Rejection!.Code);
    }

    [Fact]
    public void Tokens_MoreThanReserved_GoToTheBalanceThenToTheOverdraftWhichIsPaidBackFirst()
    {
        var ledger = LedgerHarness.Open(welcomeCredits: 10);
        var price = new TokenPrice("m", 1, 1_000_000 * Credit, 1_000_000 * Credit); // A credit a token.
        var call = ledger.Post(new ReserveCredits("exe_1/a~1~1~m1", 1, "key_a", 8 * Credit, 8 * Credit, price)).Reservation!;
        ledger.Post(new SettleCredits("exe_1/a~1~1~m1", call.Token, 0, 0, 5, 8));
        Assert.Equal((0, -3 * Credit, 13 * Credit), (ledger.Of(Account.Balance), ledger.Of(Account.Overdraft), ledger.Of(Account.Spent)));
        Assert.Equal("CREDITS_EXHAUSTED", ledger.Post(new ReserveCredits("exe_2", 1, null, Checkpoint, Checkpoint)).Rejection!.Code);
        ledger.Post(new TopUpCredits("cs_1", 1_000));
        Assert.Equal((9_997 * Credit, 0), (ledger.Of(Account.Balance), ledger.Of(Account.Overdraft)));
    }

    [Fact]
    public void Cap_OfAKey_HoldsForItAloneAndForTheMonth()
    {
        var ledger = LedgerHarness.Open(welcomeCredits: 10_000);
        ledger.Post(new SetKeyCap("key_a", 12 * Credit));
        var lease = ledger.Reserve("exe_1", Checkpoint, 5 * Checkpoint, key: "key_a");
        Assert.Equal(12 * Credit, lease.GrantedMicro);
        Assert.Equal("key_cap_reached", ledger.Post(new ReserveCredits("exe_2", 1, "key_a", Checkpoint, Checkpoint)).Rejection!.Code);
        Assert.Null(ledger.Post(new ReserveCredits("exe_3", 1, "key_b", Checkpoint, Checkpoint)).Rejection);
        ledger.Post(new SettleCredits("exe_1", lease.Token, 2 * Checkpoint));
        Assert.Equal("key_cap_reached", ledger.Post(new ReserveCredits("exe_4", 1, "key_a", Checkpoint, Checkpoint)).Rejection!.Code);
        ledger.NowMs = LedgerHarness.DecemberMs;
        Assert.Null(ledger.Post(new ReserveCredits("exe_5", 1, "key_a", Checkpoint, Checkpoint)).Rejection);
    }

    [Fact]
    public void PlanWithoutLimit_CountsAndRefusesNobody()
    {
        var ledger = LedgerHarness.Open(new PlanTerms("enterprise", null, 0));
        var lease = ledger.Reserve("exe_1", Checkpoint, 100 * Checkpoint);
        Assert.Equal(100 * Checkpoint, lease.GrantedMicro);
        ledger.Post(new SettleCredits("exe_1", lease.Token, 40 * Checkpoint));
        Assert.Equal((40 * Checkpoint, -40 * Checkpoint, 0), (ledger.Of(Account.Spent), ledger.Of(Account.Grants), ledger.Of(Account.Reserved)));
        Assert.DoesNotContain(ledger.Events, happened => happened is CreditsLow);
    }

    [Fact]
    public void Plan_ChangedWithinAMonth_GrantsWhatItHasMore()
    {
        var ledger = LedgerHarness.Open(Small);
        ledger.Post(new SettleCredits("exe_1", ledger.Reserve("exe_1", 5 * Checkpoint, 5 * Checkpoint).Token, 5 * Checkpoint));
        ledger.Post(new ChangePlan(new PlanTerms("professional", 100 * Checkpoint, 5)));
        Assert.Equal(95 * Checkpoint, ledger.Of(Account.Allowance));
        Assert.False(ledger.Post(new ChangePlan(new PlanTerms("professional", 100 * Checkpoint, 5))).Changed);
    }

    [Fact]
    public void Low_IsSaidOnceUntilCreditsCome()
    {
        var ledger = LedgerHarness.Open(welcomeCredits: 100);
        for (var n = 0; n < 19; n++)
        {
            ledger.Post(new SettleCredits($"exe_{n}", ledger.Reserve($"exe_{n}", Checkpoint, Checkpoint).Token, Checkpoint));
        }

        Assert.True(ledger.State.Low);
        Assert.Single(ledger.Events.OfType<CreditsLow>());
        ledger.Post(new TopUpCredits("cs_1", 1_000));
        Assert.False(ledger.State.Low);
    }

    [Fact]
    public void Adjust_MoreThanThereIs_GoesToTheOverdraft()
    {
        var ledger = LedgerHarness.Open(welcomeCredits: 3);
        ledger.Post(new AdjustCredits("a1", -5 * Credit, "charged back", "ops"));
        Assert.False(ledger.Post(new AdjustCredits("a1", -5 * Credit, "charged back", "ops")).Changed);
        Assert.Equal((0, -2 * Credit), (ledger.Of(Account.Balance), ledger.Of(Account.Overdraft)));
    }

    [Fact]
    public void Fold_EntriesThatDoNotSumToZero_AreACorruptLog()
    {
        var state = LedgerHarness.Open(welcomeCredits: 3).State;
        Assert.Throws<CorruptLogException>(() => LedgerKernel.Evolve(state, new CreditsAdjusted("x", "r", "b", [new Entry(Account.Balance, 1)]), 1));
        Assert.Throws<CorruptLogException>(() => LedgerKernel.Evolve(state, new CreditsSettled("exe_9", 1, 1, 0, true, 0, 0, null), 1));
        Assert.Throws<CorruptLogException>(() => LedgerKernel.Evolve(LedgerState.Empty, new CreditsLow(1, 2), 1));
    }
}
