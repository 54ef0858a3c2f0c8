using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Specs;

namespace Omium.Embedded.Tests.Scale;

/// <summary>
/// S15: a step costs at 10,000 at most 1.2 times what it costs at 100: nothing on its way (Needs, Decide, Evolve, Pending, index rows) looks
/// through what lies behind it. Everything but the disk, on one thread; ten windows of a hundred steps count, in the time the thread was on a
/// processor where the system tells it, because others use the machine too.
/// </summary>
public sealed class StepCostTests
{
    private const int Steps = 10_000, Window = 100, Windows = 10;
    // What is allocated is the same on every machine; the time only has to show that nothing looks through what lies behind.
    private const double BytesRatioMax = 1.2, TimeRatioMax = 2;

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
        Drive(plan, 2 * Window * Windows); // Warms up.
        var costs = Drive(plan, Steps);
        var (early, late) = (Sum(costs.Skip(1).Take(Windows)), Sum(costs.TakeLast(Windows)));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"a step at 100 to 1,100: {early.Time.TotalMicroseconds / (Window * Windows):0.0} us, {early.Bytes / (Window * Windows):N0} bytes allocated; at 9,000 to 10,000: {late.Time.TotalMicroseconds / (Window * Windows):0.0} us, {late.Bytes / (Window * Windows):N0} bytes; {late.Time / early.Time:0.00}x"));
        Assert.InRange(late.Time / early.Time, 0, TimeRatioMax);
        Assert.InRange(late.Bytes / (double)early.Bytes, 0, BytesRatioMax);
    }

    private static (TimeSpan Time, long Bytes) Sum(IEnumerable<(TimeSpan Time, long Bytes)> windows) =>
        windows.Aggregate((Time: TimeSpan.Zero, Bytes: 0L), (sum, window) => (sum.Time + window.Time, sum.Bytes + window.Bytes));

    /// <summary>The time this thread has been on a processor; where the system does not say, the time that passed.</summary>
    private static TimeSpan Worked()
    {
        const string schedule = "/proc/thread-self/schedstat";
        return File.Exists(schedule) && long.TryParse(File.ReadAllText(schedule).Split(' ')[0], CultureInfo.InvariantCulture, out var nanoseconds)
            ? TimeSpan.FromMicroseconds(nanoseconds / 1000.0)
            : Stopwatch.GetElapsedTime(0);
    }

    private static WorkflowPlan PlanOf(string spec)
    {
        Assert.True(SpecText.TryRead(spec, out var source, out var unreadable), unreadable?.Message);
        var read = SpecReader.Read(source);
        Assert.True(read.Spec is not null, string.Join("; ", read.Findings.Take(5).Select(finding => $"{finding.Pointer}: {finding.Message}")));
        return WorkflowPlan.TryCompile(read.Spec!, out var problem) ?? throw new InvalidOperationException(problem);
    }

    /// <summary>Runs an execution the way the writer does, without its store; what each window of committed steps took.</summary>
    private static List<(TimeSpan Time, long Bytes)> Drive(WorkflowPlan plan, int steps)
    {
        var windows = new List<(TimeSpan, long)>();
        var cell = new ExecutionCell(new StreamId("ten_a", "exe_1")) { Plan = plan };
        var at = 1_000L;
        Advance(cell, new StartExecution(at, "exe_1", "ten_a", "long", 1, "digest", JsonMake.EmptyObject, 1, "test", 10_000));
        var (since, bytes, counted) = (Worked(), GC.GetAllocatedBytesForCurrentThread(), 0);
        while (cell.State.Commits < steps && cell.Pending.Count > 0)
        {
            var effect = cell.Pending[0];
            Assert.True(EffectId.TryParse(effect.Id, out var id));
            Advance(cell, new BeginCall(++at, effect.Id, "test", 5_000));
            var call = cell.State.Visits[id.Key].Calls[0];
            Advance(cell, new SettleEffect(++at, effect.Id, new EffectOutcome { Result = call.Arguments }, call.Runs));
            if (cell.State.Commits >= counted + Window)
            {
                counted = cell.State.Commits;
                windows.Add((Worked() - since, GC.GetAllocatedBytesForCurrentThread() - bytes));
                (since, bytes) = (Worked(), GC.GetAllocatedBytesForCurrentThread());
            }
        }

        return windows;
    }

    private static void Advance(ExecutionCell cell, ExecutionCommand command)
    {
        var values = new DecisionValues(cell.Plan!);
        Assert.Empty(ExecutionKernel.Needs(cell.State, command, cell.Plan!));
        var before = cell.State;
        var outcome = ExecutionKernel.Decide(before, command, values);
        Assert.True(outcome.Accepted, outcome.Rejection?.Message);
        var pending = ExecutionKernel.Pending(outcome.State!, cell.Plan!);
        var rows = IndexProjector.Rows(cell, before, outcome.State!, outcome.Events, pending, command.AtMs);
        _ = KernelJson.Serialize(new RecordBody(command, outcome.Events));
        (cell.State, cell.Pending) = (outcome.State!, pending);
        cell.ExecutionRow = rows.FirstOrDefault(row => row.Kind == IndexKinds.Execution) ?? cell.ExecutionRow;
    }
}
