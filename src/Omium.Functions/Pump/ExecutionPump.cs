using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Omium.Azure.Pump;

namespace Omium.Functions.Pump;

/// <summary>
/// One orchestration per execution, small and frozen: running instances replay this code, so a released version is never changed, only followed by a
/// next one under another name. It knows nothing of the kernel.
/// <code>
/// what is outstanding? -> have each effect run by an orchestration of its own -> wait for one nudge or one timer -> begin again as new
/// </code>
/// It may begin again at any moment and lose nothing: what is owed is in the log, an event that came meanwhile is kept, and one that was lost is made
/// good by the sweeper.
/// </summary>
public static class ExecutionPump
{
    /// <summary>Name of the pump.</summary>
    public const string Name = "ExecutionPump_v1";

    /// <summary>Name of the orchestration that runs one effect.</summary>
    public const string EffectName = "RunEffect_v1";

    /// <summary>Name of the event that says "look now".</summary>
    public const string Nudge = "nudge";

    /// <summary>Names of its activities.</summary>
    public const string GetPending = "GetPending", StartEffects = "StartEffects", RunEffect = "RunEffect";

    // When more is due than one page holds, the first ones nudge as they end; this is for when that is lost.
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    private static readonly TaskOptions Retried = TaskOptions.FromRetryPolicy(
        new RetryPolicy(maxNumberOfAttempts: 8, firstRetryInterval: TimeSpan.FromSeconds(1), backoffCoefficient: 2, maxRetryInterval: TimeSpan.FromMinutes(1)));

    /// <summary>The pump.</summary>
    [Function(Name)]
    public static async Task PumpAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var input = context.GetInput<PumpInput>() ?? throw new InvalidOperationException("A pump was started without its input.");
        var page = await context.CallActivityAsync<PumpPage>(GetPending, input, Retried);
        if (page.Effects.Count > 0)
        {
            await context.CallActivityAsync(StartEffects, page.Effects, Retried);
        }

        if (page.IsDone)
        {
            return;
        }

        await WaitAsync(context, page);
        context.ContinueAsNew(input, preserveUnprocessedEvents: true);
    }

    /// <summary>Runs one effect. Its instance is named by the effect, so that it never runs twice at a time.</summary>
    [Function(EffectName)]
    public static async Task RunEffectAsync([OrchestrationTrigger] TaskOrchestrationContext context) =>
        await context.CallActivityAsync(RunEffect, context.GetInput<EffectInput>(), Retried);

    private static async Task WaitAsync(TaskOrchestrationContext context, PumpPage page)
    {
        using var done = new CancellationTokenSource();
        var nudge = context.WaitForExternalEvent<string>(Nudge, done.Token);
        var due = page.More ? context.CurrentUtcDateTime + LookAgain : DateTime.MaxValue;
        if (page.NextDueUnixMs is { } next && DateTimeOffset.FromUnixTimeMilliseconds(next).UtcDateTime is var at && at < due)
        {
            due = at;
        }

        if (due == DateTime.MaxValue)
        {
            await nudge;
            return;
        }

        await Task.WhenAny(nudge, context.CreateTimer(due, done.Token));
        Cancel(done);
    }

    // At once and here: CancelAsync goes through the thread pool, and an orchestrator that goes on elsewhere is ended by the platform.
    private static void Cancel(CancellationTokenSource waiting) => waiting.Cancel();
}
