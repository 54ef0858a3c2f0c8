using System.Globalization;
using Omium.Kernel.Executions;
using Xunit;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>What one item costs must not grow with how many there are.</summary>
public sealed class ItemCostTests(ITestOutputHelper output)
{
    private const int Items = 10_000;
    private const int Sample = 300;

    private const string Spec = """
        {"omium": "v0", "name": "flow",
         "tools": {"undo": {"type": "function", "effect": {"kind": "idempotent", "compensate": "undo"}},
           "pay": {"type": "function", "effect": {"kind": "idempotent", "key": "'mail-' + string(input.n)", "compensate": "undo"}}},
         "steps": [{"id": "send", "type": "tool_call", "tool": "pay", "for_each": {"items": "input.mails", "max_parallel": 10, "max_failed_ratio": 1},
           "input": {"n": "${{ item }}"}, "guards": {"post": [{"check": "item > 0 && output.n >= 0"}]}}]}
        """;

    [Fact]
    public void TenThousandItems_TheLastCostAsMuchAsTheFirst()
    {
        Run(2_000); // Compiles what is measured.
        var (took, bytes) = Run(Items);
        double Median(int at) => took.Skip(at).Take(Sample).Order().ElementAt(Sample / 2).TotalMicroseconds;
        var (early, late) = (Median(100), Median(Items - Sample));
        var (earlyBytes, lateBytes) = (bytes.Skip(100).Take(Sample).Average(), bytes.Skip(Items - Sample).SkipLast(1).Average());
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"median of {Sample} items: {early:F0} us from item 100, {late:F0} us from item {Items - Sample}: {late / early:F2} times; {earlyBytes:F0} and {lateBytes:F0} bytes an item"));
        Assert.InRange(lateBytes / earlyBytes, 0, 1.05);
        Assert.InRange(late / early, 0, 3); // What is quadratic is a hundred times. The target is 1.5; a machine that is busy elsewhere moves a figure of microseconds further.
    }

    /// <summary>Time and bytes of each item: its intent, its result, and of every tenth, which fails after its effect, the compensation.</summary>
    private static (List<TimeSpan> Took, List<long> Bytes) Run(int items)
    {
        var harness = new KernelHarness(Spec);
        harness.Start($$"""{"mails": [{{string.Join(',', Enumerable.Range(100_000, items))}}]}""");
        var (took, bytes) = (new List<TimeSpan>(), new List<long>());
        for (var done = 0; done < items; done++)
        {
            var (before, logged) = (ThreadClock.Now, harness.Log.Count);
            var effect = harness.Pending.First(effect => effect.Kind == PendingKind.Call).Id;
            harness.Begin(effect);
            harness.Settle(effect, Ok($$"""{"n": {{(done % 10 == 9 ? -1 : 1)}}}"""), run: 1);
            if (harness.Pending.FirstOrDefault(pending => pending.Kind == PendingKind.Compensate) is { Id: { } undo })
            {
                harness.Settle(undo, Ok("{}"));
            }

            took.Add(ThreadClock.Now - before);
            bytes.Add(harness.Log.Skip(logged).Sum(record => (long)record.Length));
            Assert.Equal(done % 10 == 9 ? 3 : 2, harness.Log.Count - logged);
        }

        Assert.Equal((ExecutionStatus.Succeeded, items / 10), (harness.State.Status, harness.State.LatestVisit("send")!.Items!.Failed.Count));
        return (took, bytes);
    }
}
