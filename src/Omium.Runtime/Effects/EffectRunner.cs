using System.Globalization;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;

namespace Omium.Runtime.Effects;

/// <summary>Tells people. Delivery is at least once; a throw means not delivered, and it is tried again.</summary>
public interface INotifier
{
    /// <summary>Delivers one notification.</summary>
    Task NotifyAsync(ExecutionCell cell, NotificationRequested notification, CancellationToken cancellation);
}

/// <summary>
/// Runs one outstanding effect and records what became of it: the only place where work leaves the kernel. It transports and decides nothing.
/// <code>
/// model, run        call out -> settle_effect
/// replay            read the source's records -> settle_effect (a sandbox)
/// call              begin_call (intent durable) -> call out -> raw result put aside -> settle_effect
/// verify, undo      call out -> settle_effect
/// notify            deliver -> record_notification
/// timer             wake_timers
/// </code>
/// </summary>
/// <param name="advancer">The writer.</param>
/// <param name="model">Model client.</param>
/// <param name="tools">Tool client.</param>
/// <param name="notifier">Notifier.</param>
/// <param name="owner">Identity of this process incarnation: intents it records are its own to carry out.</param>
public sealed partial class EffectRunner(Advancer advancer, IModelClient model, IToolClient tools, INotifier notifier, string owner)
{
    /// <summary>Added to a call's time-out before its intent is in doubt. Default 5 s.</summary>
    public TimeSpan IntentMargin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Identity of this process incarnation.</summary>
    public string Owner => owner;

    /// <summary>Receives the text of answers as they stream in: stream, effect id, delta. Never stored.</summary>
    public Action<ExecutionCell, string, string>? OnDelta { get; set; }

    /// <summary>Runs an effect to its record. Null when there was nothing to do (any more).</summary>
    public async ValueTask<AdvanceResult?> RunAsync(ExecutionCell cell, PendingEffect effect, CancellationToken cancellation)
    {
        switch (effect.Kind)
        {
            case PendingKind.Timer:
                return await advancer.AdvanceAsync(cell.Stream, new WakeTimers(advancer.NowMs), null, cancellation);
            case PendingKind.Notify:
                return await NotifyAsync(cell, effect, cancellation);
            case PendingKind.StartChild:
                return await StartChildAsync(cell, effect, cancellation);
            case PendingKind.CancelChild:
                return await CancelChildAsync(cell, effect, cancellation);
            case PendingKind.TellParent:
                return await TellParentAsync(cell, cancellation);
            case PendingKind.Replay:
                return await ReplayAsync(cell, effect, cancellation);
            case PendingKind.Model:
                return await AskModelAsync(cell, effect, cancellation);
            default:
                return await CallToolAsync(cell, effect, cancellation);
        }
    }

    /// <summary>
    /// After a restart that is known to have ended every other runner: results that were put aside are recorded, and intents without one are in doubt.
    /// </summary>
    public async ValueTask<AdvanceResult> RecoverAsync(ExecutionCell cell, CancellationToken cancellation)
    {
        var state = cell.State;
        var lost = state.Visits.Values.SelectMany(visit => visit.Calls).Where(call => call.Status == CallStatus.Intent && call.Owner != owner).ToArray();
        foreach (var call in lost)
        {
            if (await advancer.ReadPayloadAsync(cell, ResultKey(call), cancellation) is { } raw)
            {
                var outcome = StoredOutcome.Read(raw);
                await SettleAsync(cell, call.Id.ToString(), outcome, cancellation, call.Runs);
            }
        }

        return await advancer.AdvanceAsync(cell.Stream, new LoseRunner(advancer.NowMs, owner), null, cancellation);
    }

    /// <summary>Answers a sandbox's call with what its source has on record; nothing is reached.</summary>
    private async ValueTask<AdvanceResult?> ReplayAsync(ExecutionCell cell, PendingEffect effect, CancellationToken cancellation)
    {
        var state = cell.State;
        if (!EffectId.TryParse(effect.Id, out var id) || FindCall(state, id) is not { } call || state.Fork is not { } fork)
        {
            return null;
        }

        var source = await advancer.FindAsync(new Ports.StreamId(cell.Stream.Tenant, fork.From), cancellation);
        var outcome = source is not null && RecordedResults.Find(state, call, source.State) is { } recorded
            ? new EffectOutcome { Result = recorded.Result, Source = RecordedResults.NameOf(source.State, recorded) }
            : new EffectOutcome { Failure = new EffectFailure(FailureClasses.ToolError, "not_recorded", $"{fork.From} has no recorded result of this call", Permanent: true) };
        return await advancer.AdvanceAsync(cell.Stream, new SettleEffect(advancer.NowMs, effect.Id, outcome), null, cancellation);
    }

    private async ValueTask<AdvanceResult?> AskModelAsync(ExecutionCell cell, PendingEffect effect, CancellationToken cancellation)
    {
        if (!EffectId.TryParse(effect.Id, out var id) || !cell.State.Visits.TryGetValue(id.Key, out var visit) || cell.Plan is null)
        {
            return null;
        }

        var state = cell.State;
        var found = await ResolveAllAsync(cell, visit, cancellation);
        var request = AgentConversation.Build(state, cell.Plan, visit, null, value => found(value));
        var onDelta = OnDelta is { } deltas ? text => deltas(cell, effect.Id, text) : (Action<string>?)null;
        var outcome = await model.AnswerAsync(request, onDelta, cancellation);
        return await SettleAsync(cell, effect.Id, outcome, cancellation);
    }

    private async ValueTask<Func<JsonElement, JsonElement>> ResolveAllAsync(ExecutionCell cell, VisitState visit, CancellationToken cancellation)
    {
        var input = await advancer.MaterializeAsync(cell, visit.Input, cancellation);
        var results = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var call in visit.CurrentCalls)
        {
            if (call.Result is { } result && PayloadReference.TryRead(result, out var digest, out _))
            {
                results[digest] = await advancer.MaterializeAsync(cell, result, cancellation);
            }
        }

        var inputText = visit.Input.GetRawText();
        return value => PayloadReference.TryRead(value, out var digest, out _) && results.TryGetValue(digest, out var known)
            ? known
            : value.GetRawText() == inputText ? input : value;
    }

    private async ValueTask<AdvanceResult?> CallToolAsync(ExecutionCell cell, PendingEffect effect, CancellationToken cancellation)
    {
        if (!EffectId.TryParse(effect.Id, out var id) || FindCall(cell.State, id) is not { } call)
        {
            return null;
        }

        if (effect.Kind == PendingKind.Compensate && call.Child is not null)
        {
            return await TakeBackChildAsync(cell, effect, call, cancellation);
        }

        if (effect.Kind == PendingKind.Call)
        {
            var begun = await advancer.AdvanceAsync(
                cell.Stream, new BeginCall(advancer.NowMs, effect.Id, owner, (long)IntentMargin.TotalMilliseconds), null, cancellation);
            if (!begun.Changed || begun.Rejection is not null)
            {
                return null; // Somebody else has the intent, or it is no longer wanted.
            }

            cell = begun.Cell;
            call = FindCall(cell.State, id)!;
        }

        var (request, problem) = await RenderAsync(cell, effect.Kind, call, cancellation);
        var outcome = request is null
            ? new EffectOutcome { Failure = new EffectFailure(FailureClasses.ExpressionFailed, "request_template", problem ?? "the request cannot be rendered", Permanent: true) }
            : await tools.CallAsync(request, cancellation);
        if (effect.Kind == PendingKind.Call)
        {
            await advancer.StorePayloadAsync(cell, ResultKey(call), StoredOutcome.Write(Canonical(outcome)), cancellation);
        }

        return await SettleAsync(cell, effect.Id, outcome, cancellation, effect.Kind == PendingKind.Call ? call.Runs : 0);
    }

    private async ValueTask<(ToolRequest? Request, string? Problem)> RenderAsync(ExecutionCell cell, PendingKind kind, CallState call, CancellationToken cancellation)
    {
        var arguments = await advancer.MaterializeAsync(cell, call.Arguments, cancellation);
        var values = new DecisionValues(cell.Plan!);
        string? problem;
        ToolRequest? request;
        switch (kind)
        {
            case PendingKind.Verify:
                request = ToolRendering.TryRenderVerify(cell.State, values, call, arguments, out problem);
                break;
            case PendingKind.Compensate:
                var result = call.Result is { } given ? await advancer.MaterializeAsync(cell, given, cancellation) : (JsonElement?)null;
                request = ToolRendering.TryRenderCompensation(cell.State, values, call, arguments, result, out problem);
                break;
            default:
                request = ToolRendering.TryRender(cell.State, values, call, arguments, out problem);
                break;
        }

        return (request, problem);
    }

    private async ValueTask<AdvanceResult?> SettleAsync(ExecutionCell cell, string effect, EffectOutcome outcome, CancellationToken cancellation, int run = 0)
    {
        Dictionary<string, byte[]>? stored = null;
        var canonical = Canonical(outcome);
        if (canonical.Result is { } result)
        {
            canonical = canonical with { Result = PayloadResolver.Intern(result, ref stored) };
        }

        return await advancer.AdvanceAsync(cell.Stream, new SettleEffect(advancer.NowMs, effect, canonical, run), stored, cancellation);
    }

    /// <summary>A result as commands carry it; one that is not fit for the log (a number beyond 2^53, the reserved name) is a failure that says so.</summary>
    private static EffectOutcome Canonical(EffectOutcome outcome)
    {
        if (outcome.Result is not { ValueKind: not JsonValueKind.Null } result)
        {
            return outcome with { Result = null }; // JSON null is left out of records; written, it would not be read back as it was decided on.
        }

        if (!CanonicalJson.TryNormalize(result, out var canonical, out var problem, ResultLimits))
        {
            return Unfit(problem!.Code, problem.Message);
        }

        return PayloadResolver.UsesReservedName(canonical)
            ? Unfit("reserved_name", $"the result uses the reserved name {PayloadReference.Member}")
            : outcome with { Result = canonical };
    }

    private static readonly JsonLimits ResultLimits = new() { SizeMax = 64 * 1024 * 1024 };

    private static EffectOutcome Unfit(string code, string message) => new()
    {
        Failure = new EffectFailure(FailureClasses.ToolError, code, $"the result cannot be recorded: {message}", MayHaveHappened: true, Permanent: true),
    };

    private async ValueTask<AdvanceResult?> NotifyAsync(ExecutionCell cell, PendingEffect effect, CancellationToken cancellation)
    {
        var number = int.Parse(effect.Id["notify~".Length..], CultureInfo.InvariantCulture);
        if (!cell.State.Notifications.TryGetValue(number, out var notification))
        {
            return null;
        }

        await notifier.NotifyAsync(cell, notification, cancellation);
        return await advancer.AdvanceAsync(cell.Stream, new RecordNotification(advancer.NowMs, number), null, cancellation);
    }

    private static CallState? FindCall(ExecutionState state, EffectId id) =>
        state.Visits.GetValueOrDefault(id.Key)?.Calls.Find(call => call.Id == id.WithoutSub);

    private static string ResultKey(CallState call) => string.Create(CultureInfo.InvariantCulture, $"{Advancer.RawResultPrefix}{call.Id}.{call.Runs}");
}

/// <summary>A raw outcome as it is put aside before its record: <c>{"result": ...}</c> or <c>{"failure": {...}}</c>.</summary>
internal static class StoredOutcome
{
    public static byte[] Write(EffectOutcome outcome) => JsonSerializer.SerializeToUtf8Bytes(outcome, KernelJson.Default.EffectOutcome);

    public static EffectOutcome Read(byte[] stored) => JsonSerializer.Deserialize(stored, KernelJson.Default.EffectOutcome)!;
}
