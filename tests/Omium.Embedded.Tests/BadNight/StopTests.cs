using Omium.Kernel.Executions;

namespace Omium.Embedded.Tests.BadNight;

/// <summary>A stop closes nothing under what is in flight, and comes to its end all the same.</summary>
public sealed class StopTests
{
    private const string Spec = """
        omium: v0
        name: calling
        tools: {work: {type: function, function: work, effect: {kind: none}}}
        steps:
          - {id: only, type: tool_call, tool: work, input: {n: 1}}
        """;

    [Fact]
    public async Task Stop_WhileACallIsInFlight_WaitsUntilItHasHeardOfIt()
    {
        var (began, ended) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), false);
        var rig = await Rig.OpenAsync(new RigOptions
        {
            Call = async (_, cancellation) =>
            {
                began.SetResult();
                try
                {
                    await Task.Delay(Timeout.Infinite, cancellation);
                }
                finally
                {
                    await Task.Yield(); // It has something to tidy up.
                    ended = true;
                }

                throw new InvalidOperationException("it was not cancelled");
            },
        });
        await rig.StartAsync(Spec);
        await began.Task;
        await rig.Engine.DisposeAsync();

        Assert.True(ended);
        Assert.Empty(rig.Engine.SetAside);
        await rig.DisposeAsync();
    }

    [Fact]
    public async Task Stop_WhileACallDoesNotHearOfIt_EndsInTimeAndSetsNothingAside()
    {
        var (began, answer) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource<EffectOutcome>());
        var rig = await Rig.OpenAsync(new RigOptions
        {
            Engine = new() { StopWithin = TimeSpan.FromMilliseconds(50) },
            Call = (_, _) =>
            {
                began.SetResult();
                return answer.Task;
            },
        });
        await rig.StartAsync(Spec);
        await began.Task;
        await rig.DisposeAsync();

        // It answers after the store is closed: nothing is decided about it here, the next start calls again.
        answer.SetResult(new EffectOutcome());
        await rig.Engine.DisposeAsync();
        Assert.Empty(rig.Engine.SetAside);
    }
}
