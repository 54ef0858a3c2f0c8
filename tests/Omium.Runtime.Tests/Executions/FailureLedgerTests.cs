using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Tests.Specs;

namespace Omium.Runtime.Tests.Executions;

/// <summary>What the list of failures is told, record by record: over frozen histories, with record n (from 0) at second n.</summary>
public sealed class FailureLedgerTests
{
    [Fact]
    public void After_RolledBackByPolicyThenEditedByAPerson_IsRecoveredByRollback() => Assert.Equal(
        ["3: exe_test.terms.1.1 open", "6: exe_test.terms.1.1 rollback after 3 s"], Play("company-x"));

    [Fact]
    public void After_RetriedAtOnce_IsNoFailureOfItsOwn() => Assert.Empty(Play("retry"));

    [Fact]
    public void After_ItemsThatNobodyWasAskedAbout_AreNoFailuresOfTheirOwn() => Assert.Empty(Play("for-each"));

    [Fact]
    public void After_RunThatFailedAndWasRetriedWithACorrection_IsRecoveredByRollback() => Assert.Equal(
        ["3: exe_test.b.1.1 open", "5: exe_test.b.1.1 rollback after 2 s"], Play("correction"));

    [Fact]
    public void After_TracedRunThatFailedAndWasStartedAgain_IsRecoveredByRetry() => Assert.Equal(
        ["16: exe_test.letter@1.2.1 open", "19: exe_test.letter@1.2.1 retry after 3 s"], Play("traced"));

    [Fact]
    public void After_DisputeMeasuredAgain_IsAnsweredAndOverOnlyOnceBothAgree() => Assert.Equal(
        [
            "2: exe_test.a.1.h1r1 open", "3: exe_test.a.1.h1r1 answered", "4: exe_test.a.1.h1r2 open", "5: exe_test.a.1.h1r2 answered",
            "7: exe_test.a.1.h1r1 rollback after 5 s", "7: exe_test.a.1.h1r2 rollback after 3 s",
        ],
        Play("handoff"));

    [Fact]
    public void After_AttemptUndoneBeforeItIsRetried_IsRecoveredByRollback() => Assert.Equal(
        ["0: exe_1.pay.1.1 open", "3: exe_1.pay.1.1 rollback after 3 s"],
        Play([Failed("pay", 1, 1), Undoing("pay", 1)], [], [new RetryScheduled("pay", 1, 2, 0)], [Committed("pay", 1, 2)]));

    [Fact]
    public void After_SeveralFailuresOfOneRun_EachIsOverWhenItsOwnStepIs() => Assert.Equal(
        [
            "0: exe_1.a.1.1 open", "1: exe_1.b.1.1 open", "2: exe_1.b.1.1 retry after 1 s", "3: exe_1.a.1.2 open", "4: exe_1.a.1.1 retry after 4 s",
            "4: exe_1.a.1.2 retry after 1 s",
        ],
        Play([Failed("a", 1, 1)], [Failed("b", 1, 1)], [Committed("b", 1, 2)], [Failed("a", 1, 2)], [Committed("a", 1, 3)]));

    [Fact]
    public void After_RunThatEndedBadly_KeepsItOpen()
    {
        Assert.Equal(["0: exe_1.a.1.1 open"], Play([Failed("a", 1, 1, final: true), new ExecutionFailed("a", 1, "timeout", "timeout", "late")]));
        Assert.Equal(["0: exe_1.a.1.1 open"], Play([Failed("a", 1, 1)], [new ExecutionCancelled("ada", "r")]));
    }

    [Fact]
    public void After_FailureThatAPersonIgnores_IsIgnoredUntilItIsOver()
    {
        Assert.Equal(
            ["0: exe_1.a.1.1 open", "1: exe_1.a.1.1 ignored", "3: exe_1.a.1.1 retry after 3 s"],
            Play([Failed("a", 1, 1)], [new FailureIgnored("a.1.1", "ada", "r1")], [new FailureIgnored("b.1.1", "ada", "r2")], [Committed("a", 1, 2)]));
        Assert.Empty(Play([new FailureIgnored("a.1.1", "ada", "r1")]));
    }

    [Fact]
    public void After_FailureEdgeOrEndWithoutTheStep_IsRecoveredByFallback()
    {
        Assert.Equal(
            ["0: exe_1.a.1.1 open", "1: exe_1.a.1.1 fallback after 1 s"],
            Play([Failed("a", 1, 1, final: true)], [Committed("plan_b", 1, 1)]));
        Assert.Equal(
            ["0: exe_1.a.1.1 open", "1: exe_1.a.1.1 fallback after 1 s"],
            Play([Failed("a", 1, 1, final: true)], [new ExecutionSucceeded(default)]));
    }

    [Fact]
    public void After_PersonWhoGivesTheOutputOrSkips_IsToldApart()
    {
        Assert.Equal(
            ["0: exe_1.a.1.1 open", "1: exe_1.a.1.1 override after 1 s"],
            Play([Failed("a", 1, 1)], [new ReviewDecided("rev_1", "override", "ada", null, null), new RetryScheduled("a", 1, 2, 0), Committed("a", 1, 2)]));
        Assert.Equal(
            ["0: exe_1.a.1.1 open", "1: exe_1.a.1.1 skip after 1 s"], Play([Failed("a", 1, 1)], [new StepSkipped("a", 1, "person", null, null)]));
    }

    [Fact]
    public void After_FailedAndOverInOneRecord_IsOneChange() => Assert.Equal(
        ["0: exe_1.a.1.1 fallback after 0 s"], Play([Failed("a", 1, 1, final: true), Committed("plan_b", 1, 1)]));

    [Fact]
    public void After_ForkThatBeginsWithAFailure_KnowsNothingOfIt() => Assert.Empty(Play([Committed("a", 2, 1)], [new ExecutionSucceeded(default)]));

    [Fact]
    public void After_CommitsOfOtherSteps_ChangeNothing() => Assert.Equal(
        ["0: exe_1.a.1.1 open"], Play([Failed("a", 1, 1)], [Committed("b", 1, 1)], [new StepSkipped("a", 2, "no_edge_taken", null, null)]));

    [Theory]
    [InlineData(1, false)]
    [InlineData(null, true)] // The same words of a visit that ran: a failure of its own.
    public void After_FailureOfAVisitThatWasTakenBack_SaidAgainByTheNextAsItsEnd_IsTheSame(int? repeats, bool isNew)
    {
        var takenBack = new VisitState(new VisitKey("a", 1), 1) { Status = VisitStatus.RolledBack, Failures = [(Failed("a", 1, 1), 0)] };
        var said = Failed("a", 2, 1, final: true) with { Repeats = repeats };
        var state = ExecutionState.Empty with { ExecutionId = "exe_1", Visits = VisitDictionary.Of([takenBack, new VisitState(new VisitKey("a", 2), 2)]) };
        string[] expected = ["0: exe_1.a.1.1 open", .. isNew ? ["1: exe_1.a.2.1 open"] : (string[])[]];
        Assert.Equal(expected, Play([(state, [Failed("a", 1, 1)]), (state, [said])]));
        Assert.Equal(isNew ? "exe_1.a.2.1" : "exe_1.a.1.1", FailureLedger.ListedId(state, said));
    }

    private static StepFailed Failed(string step, int visit, int attempt, bool final = false) =>
        new(step, visit, attempt, "timeout", "timeout", "late", "f", null, null, null, final, null);

    private static StepCommitted Committed(string step, int visit, int attempt) => new(step, visit, attempt, default, null, null, null, 0, 0);

    private static RollbackPlanned Undoing(string step, int visit) =>
        new(1, "attempt", RollbackScopes.Attempt, [], [$"{step}~{visit}~1~c1"], "retry", null, null, new RollbackSequel(new VisitKey(step, visit), null, false, false));

    /// <summary>Events of an execution whose steps a, b and pay have two visits each, and whose step plan_b lies behind a failure edge of a.</summary>
    private static List<string> Play(params ExecutionEvent[][] records)
    {
        var visits = new[] { "a", "b", "pay" }.SelectMany(step => new[] { 1, 2 }.Select(visit => new VisitState(new VisitKey(step, visit), 1)))
            .Append(new VisitState(new VisitKey("plan_b", 1), 9) { After = [new VisitKey("a", 1)] });
        var state = ExecutionState.Empty with { ExecutionId = "exe_1" };
        state = state with { Visits = VisitDictionary.Of(visits) };
        return Play(records.Select(events => (state, (IReadOnlyList<ExecutionEvent>)events)));
    }

    private static List<string> Play(string golden)
    {
        var state = ExecutionState.Empty;
        return Play(Repository.Read($"tests/golden/kernel/{golden}.jsonl").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
        {
            var record = KernelJson.Deserialize(System.Text.Encoding.UTF8.GetBytes(line));
            state = ExecutionKernel.Fold(state, record);
            return (state, record.Events);
        }));
    }

    private static List<string> Play(IEnumerable<(ExecutionState After, IReadOnlyList<ExecutionEvent> Events)> records)
    {
        var (ledger, lines) = (FailureLedger.Empty, new List<string>());
        foreach (var ((after, events), second) in records.Select((record, second) => (record, second)))
        {
            (ledger, var changed) = ledger.After(after, events, second * 1_000L);
            lines.AddRange(changed.Select(failure => $"{second}: {failure.Id} {Word(failure)}"));
            Assert.Equal(changed.Count, changed.Select(failure => failure.Id).Distinct().Count());
        }

        return lines;
    }

    private static string Word(ListedFailure failure) => failure switch
    {
        { Way.Length: > 0 } => $"{failure.Way} after {(failure.OverMs - failure.AtMs) / 1_000} s",
        { Answered: true } => "answered",
        { Ignored: true } => "ignored",
        _ => "open",
    };
}
