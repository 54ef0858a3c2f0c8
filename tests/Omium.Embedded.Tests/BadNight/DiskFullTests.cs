using System.Collections.Concurrent;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Embedded.Tests.BadNight;

/// <summary>S37, disk full: reads answer, the alarm says so, nothing is lost or made twice, and everything goes on by itself when there is space.</summary>
public sealed class DiskFullTests
{
    private const string Spec = """
        omium: v0
        name: filling
        tools: {pay: {type: function, function: pay, effect: {kind: idempotent}}}
        steps:
          - {id: begin, type: decision, input: {n: 0}}
          - {id: pay, type: tool_call, tool: pay, needs: [begin], input: {n: "${{ has(steps.pay) ? steps.pay.output.n + 1 : 1 }}"}, output: {schema: {type: object, properties: {n: {type: integer}}}}}
        edges: [{from: pay, to: pay, when: "output.n < 40", max_visits: 100}]
        """;

    [Fact]
    public async Task Run_OnAFullDisk_WaitsAndGoesOnByItselfWithoutASecondCall()
    {
        var calls = new ConcurrentQueue<string>();
        Rig? rig = null;
        var options = new RigOptions
        {
            Call = (request, _) =>
            {
                calls.Enqueue(request.EffectId);
                if (calls.Count == 20)
                {
                    rig!.Store.SetSizeMax(1); // The disk is full from now on, with a call that has just happened and is not on record.
                }

                return Task.FromResult(new EffectOutcome { Result = request.Arguments });
            },
        };
        rig = await Rig.OpenAsync(options);
        await using (rig)
        {
            var cell = await rig.StartAsync(Spec);
            await Until(() => rig.Advancer.StorageAlarm is not null);

            Assert.Equal(StorageUnavailableException.Full, rig.Advancer.StorageAlarm!.Code);
            Assert.Equal(20, calls.Count);
            Assert.Equal(ExecutionStatus.Running, (await rig.Advancer.FindAsync(cell.Stream))!.State.Status); // Reads answer.
            Assert.NotEmpty(await rig.Advancer.ReadAsync(cell.Stream, 0, 10));
            await Assert.ThrowsAsync<StorageUnavailableException>(() => rig.StartAsync(Spec, id: "exe_refused"));
            Assert.Empty(rig.Engine.SetAside);

            rig.Store.SetSizeMax(0);
            var ended = await rig.WaitAsync(cell.Stream, state => state.Ended);
            Assert.Equal(ExecutionStatus.Succeeded, ended.Status);
            await Until(() => rig.Advancer.StorageAlarm is null);
            Assert.Equal((40, 40), (calls.Count, calls.Distinct().Count()));
            Assert.Equal(VerifyVerdict.Identical, (await rig.Verifier.VerifyAsync(cell.Stream))!.Verdict);
        }
    }

    private static async Task Until(Func<bool> reached)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!reached())
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }
}
