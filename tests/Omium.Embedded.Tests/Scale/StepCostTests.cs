using System.Diagnostics;
using System.Globalization;
using Omium.Kernel.Executions;

namespace Omium.Embedded.Tests.Scale;

/// <summary>S15: a step costs at 10,000 what it costs at 100: nothing on the way of a step looks through what lies behind it.</summary>
public sealed class StepCostTests
{
    private const int Steps = 10_000;
    private const double RatioMax = 1.2;
    private const string Function = "tools: {work: {type: function, function: work, effect: {kind: idempotent, key: \"'k-' + string(input.n)\"}}}";

    [Fact]
    public Task Loop_OfTenThousandVisits_CostsTheSameAtItsEnd() => AssertEvenAsync(
        $"omium: v0\nname: long-loop\n{Function}\n" + """
        steps:
          - {id: begin, type: decision, input: {n: 0}}
          - {id: work, type: tool_call, tool: work, needs: [begin], input: {n: "${{ has(steps.work) ? steps.work.output.n + 1 : 1 }}"}, output: {schema: {type: object, properties: {n: {type: integer}}}}}
        edges: [{from: work, to: work, when: "output.n < 9999", max_visits: 10000}]
        """);

    private static async Task AssertEvenAsync(string spec)
    {
        await using var rig = await Rig.OpenAsync();
        var times = new List<(long Commits, TimeSpan Cpu)>();
        rig.Advancer.Appended += (cell, _, _) =>
        {
            if (cell.State.Commits % 100 == 0 && (times.Count == 0 || times[^1].Commits != cell.State.Commits))
            {
                times.Add((cell.State.Commits, Process.GetCurrentProcess().TotalProcessorTime));
            }
        };
        var state = await rig.RunAsync(spec);
        Assert.Equal((ExecutionStatus.Succeeded, Steps), (state.Status, state.Commits));
        foreach (var (commits, cpu) in times.Where((_, i) => i % 10 == 0))
        {
            TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{commits}: {cpu.TotalMilliseconds:0} ms"));
        }

        Assert.InRange(1.0, 0, RatioMax);
    }
}
