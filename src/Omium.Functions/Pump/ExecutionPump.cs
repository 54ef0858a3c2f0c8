using System.Text.Json;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Omium.Azure.Pump;

namespace Omium.Functions.Pump;

/// <summary>
/// One orchestration per execution, small and frozen: running instances replay this code, so a released version is never changed, only followed by a
/// next one under another name. It knows nothing of the kernel.
/// <code>
/// what is outstanding? -> have each effect run by an orchestration of its own -> wait for one nudge, one approval or one timer -> begin again as new
/// </code>
/// It may begin again at any moment and lose nothing: what is owed is in the log, an event that came meanwhile is kept, and a nudge that was lost is
/// made good by the sweeper. An approval is nowhere else until it is delivered, so nothing here may take one and drop it: see <see cref="WaitAsync"/>.
/// </summary>
public static class ExecutionPump
{
    /// <summary>Name of the pump.</summary>
    public const string Name = "ExecutionPump_v1";

    /// <summary>Name of the orchestration that runs one effect.</summary>
    public const string EffectName = "RunEffect_v1";

    /// <summary>Name of the event that says "look now".</summary>
    public const string Nudge = "nudge";

    /// <summary>Name of the event that carries a decision: <c>{review_id, approval_token}</c>.</summary>
    public const string Approve = "approve";

    /// <summary>Name of the event that tells an effect which waits for others to look again.</summary>
    public const string Look = "look";

    /// <summary>Names of its activities.</summary>
    public const string GetPending = "GetPending", StartEffects = "StartEffects", RunEffect = "RunEffect", DeliverApproval = "DeliverApproval";

    // What is under way tells the pump as it ends; these are for when that is lost, the shorter one when more is due than one page holds.
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5), LookAfterEffects = TimeSpan.FromMinutes(1);

    // After all the retries of an activity: the store is away, or the execution cannot be read.
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(1);

    private static readonly TaskOptions Retried = TaskOptions.FromRetryPolicy(
        new RetryPolicy(maxNumberOfAttempts: 8, firstRetryInterval: TimeSpan.FromSeconds(1), backoffCoefficient: 2, maxRetryInterval: TimeSpan.FromMinutes(1)));

    /// <summary>The pump.</summary>
    [Function(Name)]
    public static async Task PumpAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var input = context.GetInput<PumpInput>() ?? throw new InvalidOperationException("A pump was started without its input.");
        try
        {
            var page = await context.CallActivityAsync<PumpPage>(GetPending, input, Retried);
            if (page.Effects.Count > 0)
            {
                await context.CallActivityAsync(StartEffects, page.Effects, Retried);
            }

            if (page.IsDone)
            {
                return;
            }

            if (await WaitAsync(context, page) is { } approval)
            {
                await DeliverAsync(context, approval);
            }
        }
        catch (TaskFailedException)
        {
            // A pump that ended here would take the events along that wait for it.
            await context.CreateTimer(context.CurrentUtcDateTime + Rest, CancellationToken.None);
        }

        context.ContinueAsNew(input, preserveUnprocessedEvents: true);
    }

    /// <summary>
    /// Runs one effect. Its instance is named by the effect, so that it never runs twice at a time. One that waits for others is run again when it is told,
    /// or after a while.
    /// </summary>
    [Function(EffectName)]
    public static async Task RunEffectAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var input = context.GetInput<EffectInput>();
        var run = await context.CallActivityAsync<EffectRun>(RunEffect, input, Retried);
        if (run.LookAgainUnixMs is not { } lookAgain)
        {
            return;
        }

        using var timer = new CancellationTokenSource();
        var look = context.WaitForExternalEvent<JsonElement?>(Look);
        await Task.WhenAny(look, context.CreateTimer(DateTimeOffset.FromUnixTimeMilliseconds(lookAgain).UtcDateTime, timer.Token));
        Cancel(timer);
        context.ContinueAsNew(input, preserveUnprocessedEvents: true);
    }

    /// <summary>
    /// Waits for whatever comes first; answers an approval. A waiter that is left behind, cancelled or not, still takes the next event of its name and
    /// drops it. So there is one waiter for each name and life of the pump, none is cancelled, both are looked at after the wait, and between the end of
    /// the wait and the new beginning the pump awaits only for an approval that its waiter has given: whatever comes then finds no waiter and is kept.
    /// A nudge may be dropped so: the pump looks at everything as soon as it begins again.
    /// </summary>
    private static async Task<JsonElement?> WaitAsync(TaskOrchestrationContext context, PumpPage page)
    {
        // Whatever JSON they carry: an event that could not be read would end the pump.
        var approval = context.WaitForExternalEvent<JsonElement?>(Approve);
        var nudge = context.WaitForExternalEvent<JsonElement?>(Nudge);
        var due = page.More ? context.CurrentUtcDateTime + LookAgain : page.Effects.Any(effect => !effect.MayWait) ? context.CurrentUtcDateTime + LookAfterEffects : DateTime.MaxValue;
        if (page.NextDueUnixMs is { } next && DateTimeOffset.FromUnixTimeMilliseconds(next).UtcDateTime is var at && at < due)
        {
            due = at;
        }

        using var timer = new CancellationTokenSource();
        Task[] first = due == DateTime.MaxValue ? [nudge, approval] : [nudge, approval, context.CreateTimer(due, timer.Token)];
        await Task.WhenAny(first);
        Cancel(timer);
        return approval.IsCompletedSuccessfully ? await approval : null;
    }

    /// <summary>Delivers an approval. What could not be delivered after all retries is sent again to oneself: it is neither dropped nor does it hold the pump up for good.</summary>
    private static async Task DeliverAsync(TaskOrchestrationContext context, JsonElement approval)
    {
        try
        {
            await context.CallActivityAsync(DeliverApproval, new ApprovalInput(approval), Retried);
        }
        catch (TaskFailedException)
        {
            context.SendEvent(context.InstanceId, Approve, approval);
        }
    }

    // At once and here: CancelAsync goes through the thread pool, and an orchestrator that goes on elsewhere is ended by the platform.
    private static void Cancel(CancellationTokenSource waiting) => waiting.Cancel();
}
