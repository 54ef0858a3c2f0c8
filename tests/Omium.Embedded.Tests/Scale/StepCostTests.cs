using System.Globalization;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Kernel.Tests;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Specs;

namespace Omium.Embedded.Tests.Scale;

/// <summary>
/// S15: a step costs at 10,000 what it costs at 100, in a chain, in a loop and in waves: nothing on its way (Needs, Decide, Evolve, Pending, index rows) looks
/// through what lies behind it. Everything but the disk, on one thread. What is allocated is the same on every machine: at most <see cref="BytesRatioMax"/>
/// times. The time the thread was on a processor hangs on the machine, too (how much of a long execution its caches hold, who else uses them): hundreds of steps
/// at the end of a long execution and the second hundred of a fresh one are measured in turns, the least that each took is printed, and only what no cache
/// explains is refused.
/// </summary>
public sealed class StepCostTests
{
    private const int Steps = 10_000, Window = 100, Pairs = 20;

    /// <summary>Trees are twice as deep at 10,000 entries as at 100; a step goes down the large ones once or twice: 1.03 to 1.06.</summary>
    private const double BytesRatioMax = 1.1;

    /// <summary>1.01 to 1.2 was seen. A search through all that lies behind would be a hundredfold.</summary>
    private const double TimeRatioMax = 2;

    [Fact]
    public void Loop_OfTenThousandVisits_CostsTheSameAtItsEnd() => AssertEven("""
        steps:
          - {id: begin, type: decision, input: {n: 0}}
          - {id: work, type: tool_call, tool: work, needs: [begin], input: {n: "${{ has(steps.work) ? steps.work.output.n + 1 : 1 }}"}, output: {schema: {type: object, properties: {n: {type: integer}}}}}
        edges: [{from: work, to: work, when: "output.n < 9999", max_visits: 10000}]
        """);

    [Fact]
    public void Chain_OfTenThousandSteps_CostsTheSameAtItsEnd()
    {
        var spec = new StringBuilder("steps:\n");
        for (var i = 0; i < Steps; i++)
        {
            spec.Append(CultureInfo.InvariantCulture, $"  - {{id: s{i}, type: tool_call, tool: work, input: {{n: {i}}}");
            spec.Append(i == 0 ? "}\n" : string.Create(CultureInfo.InvariantCulture, $", needs: [s{i - 1}]}}\n"));
        }

        AssertEven(spec.ToString());
    }

    /// <summary>A hundred waves of a hundred steps side by side, each wave after the one before.</summary>
    [Fact]
    public void Waves_OfAHundredStepsSideBySide_CostTheSameAtTheirEnd()
    {
        var spec = new StringBuilder("steps:\n");
        for (var wave = 0; wave < Steps / 100; wave++)
        {
            var after = wave == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", needs: [join{wave - 1}]");
            for (var i = 0; i < 99; i++)
            {
                spec.Append(CultureInfo.InvariantCulture, $"  - {{id: w{wave}_{i}, type: tool_call, tool: work, input: {{n: {i}}}{after}}}\n");
            }

            var all = string.Join(", ", Enumerable.Range(0, 99).Select(i => string.Create(CultureInfo.InvariantCulture, $"w{wave}_{i}")));
            spec.Append(CultureInfo.InvariantCulture, $"  - {{id: join{wave}, type: tool_call, tool: work, input: {{n: 0}}, needs: [{all}]}}\n");
        }

        AssertEven(spec.ToString());
    }

    private static void AssertEven(string steps)
    {
        const string head = "omium: v0\nname: long\ntools: {work: {type: function, function: work, effect: {kind: idempotent, key: \"'k-' + string(input.n)\"}}}\n";
        var plan = PlanOf(head + steps);
        new Run(plan).Take(20 * Window); // Warms up.
        var last = new Run(plan);
        last.Take(Steps - ((Pairs + 1) * Window));
        var pairs = Enumerable.Range(0, Pairs).Select(pair => Pair(plan, last, lateFirst: pair % 2 == 0)).ToArray();
        var (early, late) = (pairs.Min(pair => pair.Early.Time), pairs.Min(pair => pair.Late.Time));
        var (earlyBytes, lateBytes) = (pairs.Sum(pair => pair.Early.Bytes), pairs.Sum(pair => pair.Late.Bytes));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"a step at 100: {early.TotalMicroseconds / Window:0.0} us, {earlyBytes / (Window * Pairs):N0} bytes allocated; at 10,000: {late.TotalMicroseconds / Window:0.0} us, {lateBytes / (Window * Pairs):N0} bytes; {late / early:0.00}x"));
        Assert.InRange(lateBytes / (double)earlyBytes, 0, BytesRatioMax);
        Assert.InRange(late / early, 0, TimeRatioMax);
    }

    /// <summary>What the second hundred steps of a fresh execution cost, and what the next hundred of a long one do.</summary>
    private static (Cost Early, Cost Late) Pair(WorkflowPlan plan, Run last, bool lateFirst)
    {
        var fresh = new Run(plan);
        fresh.Take(Window);
        var late = lateFirst ? last.Take(Window) : default;
        var early = fresh.Take(Window);
        return (early, lateFirst ? late : last.Take(Window));
    }

    private readonly record struct Cost(TimeSpan Time, long Bytes);

    private static WorkflowPlan PlanOf(string spec)
    {
        Assert.True(SpecText.TryRead(spec, out var source, out var unreadable), unreadable?.Message);
        var read = SpecReader.Read(source);
        Assert.True(read.Spec is not null, string.Join("; ", read.Findings.Take(5).Select(finding => $"{finding.Pointer}: {finding.Message}")));
        return WorkflowPlan.TryCompile(read.Spec!, out var problem) ?? throw new InvalidOperationException(problem);
    }

    /// <summary>An execution, run the way the writer does it, without its store.</summary>
    private sealed class Run
    {
        private readonly ExecutionCell _cell;
        private long _at = 1_000;

        public Run(WorkflowPlan plan)
        {
            _cell = new ExecutionCell(new StreamId("ten_a", "exe_1")) { Plan = plan };
            Advance(_cell, new StartExecution(_at, "exe_1", "ten_a", "long", 1, "digest", JsonMake.EmptyObject, 1, "test", 10_000));
        }

        /// <summary>Commits so many further steps.</summary>
        public Cost Take(int steps)
        {
            var (since, bytes, until) = (ThreadClock.Now, GC.GetAllocatedBytesForCurrentThread(), _cell.State.Commits + steps);
            while (_cell.State.Commits < until && _cell.Pending.Count > 0)
            {
                var effect = _cell.Pending[0];
                Assert.True(EffectId.TryParse(effect.Id, out var id));
                Advance(_cell, new BeginCall(++_at, effect.Id, "test", 5_000));
                var call = _cell.State.Visits[id.Key].Calls[0];
                Advance(_cell, new SettleEffect(++_at, effect.Id, new EffectOutcome { Result = call.Arguments }, call.Runs));
            }

            Assert.True(_cell.State.Commits >= until, "the execution ended before");
            return new Cost(ThreadClock.Now - since, GC.GetAllocatedBytesForCurrentThread() - bytes);
        }
    }

    private static void Advance(ExecutionCell cell, ExecutionCommand command)
    {
        var values = new DecisionValues(cell.Plan!);
        Assert.Empty(ExecutionKernel.Needs(cell.State, command, cell.Plan!));
        var before = cell.State;
        var outcome = ExecutionKernel.Decide(before, command, values);
        Assert.True(outcome.Accepted, outcome.Rejection?.Message);
        var pending = ExecutionKernel.Pending(outcome.State!, cell.Plan!);
        var (rows, _) = IndexProjector.Rows(cell, outcome.State!, outcome.Events, pending, command.AtMs);
        _ = KernelJson.Serialize(new RecordBody(command, outcome.Events));
        (cell.State, cell.Pending) = (outcome.State!, pending);
        cell.ExecutionRow = rows.FirstOrDefault(row => row.Kind == IndexKinds.Execution) ?? cell.ExecutionRow;
    }
}
