using System.Collections.Concurrent;
using Omium.Embedded.Engine;
using Omium.Embedded.Storage;
using Omium.Kernel.Executions;

namespace Omium.Embedded.Tests.BadNight;

/// <summary>S37, a backup restored into a later time with an effect in doubt: nothing is begun before a person has looked, and nothing is made twice unasked.</summary>
public sealed class BackupTests
{
    private const string Spec = """
        omium: v0
        name: paying
        tools: {pay: {type: function, function: pay, effect: {kind: KIND}}}
        steps:
          - {id: ask, type: human_approval}
          - {id: pay, type: tool_call, tool: pay, needs: [ask], input: {n: 1}}
          - {id: tell, type: tool_call, tool: pay, needs: [pay], input: {n: 2}}
        """;

    [Theory]
    [InlineData("irreversible", "review")]
    [InlineData("idempotent", "rerun")]
    public async Task Restored_WithAnIntentInDoubt_IsPausedAndMakesNoCallUntilAPersonResumes(string kind, string next)
    {
        var calls = new ConcurrentQueue<string>();
        var paying = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var paid = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = new RigOptions
        {
            Call = async (request, cancellation) =>
            {
                calls.Enqueue(request.EffectId);
                paying.TrySetResult();
                await paid.Task.WaitAsync(cancellation);
                return new EffectOutcome { Result = request.Arguments };
            },
        };
        var backup = Directory.CreateTempSubdirectory("omium-embedded-").FullName;
        byte[] masterKey;
        await using (var rig = await Rig.OpenAsync(options))
        {
            masterKey = rig.MasterKey;
            var asked = await rig.StartAsync(Spec.Replace("KIND", kind, StringComparison.Ordinal), id: "exe_pay");
            var review = asked.State.Reviews[asked.State.OpenReviews[0]].Request;
            await rig.Engine.SubmitAsync(asked.Stream, new DecideReview(rig.Advancer.NowMs, review.Review, "approve", review.Digest, "ada", null, null, null, null));
            await paying.Task.WaitAsync(TimeSpan.FromSeconds(20));

            Assert.Equal(1, StoreBackup.Copy(rig.Directory, backup)); // While the store is open and the call is under way.

            paid.SetResult();
            if (kind == "idempotent")
            {
                Assert.Equal(ExecutionStatus.Succeeded, (await rig.WaitAsync(asked.Stream, state => state.Ended)).Status);
            }
        }

        var made = calls.Count;
        var later = new RigOptions
        {
            Call = options.Call,
            Engine = new EmbeddedEngineOptions { PauseRecovered = "restored" },
        };
        await using (var rig = await Rig.OpenAsync(later, backup, masterKey))
        {
            var state = (await rig.Advancer.FindAsync(Rig.Stream("exe_pay")))!.State;
            Assert.Equal(ExecutionStatus.Paused, state.Status);
            var call = state.Visits[new VisitKey("pay", 1)].Calls[0];
            Assert.Equal((CallStatus.InDoubt, next), (call.Status, call.Next));
            Assert.Equal(made, calls.Count);

            await rig.Engine.SubmitAsync(Rig.Stream("exe_pay"), new ResumeExecution(rig.Advancer.NowMs, "ada", "r1"));
            if (next == "rerun")
            {
                await rig.WaitAsync(Rig.Stream("exe_pay"), state => state.Ended); // With the key it had: the receiver does it once.
            }
            else
            {
                Assert.Equal("in_doubt", (await rig.Advancer.FindAsync(Rig.Stream("exe_pay")))!.State.Reviews.Values.Single(review => review.Decided is null).Request.Kind);
                Assert.Equal(made, calls.Count);
            }
        }

        Directory.Delete(backup, recursive: true);
    }
}
