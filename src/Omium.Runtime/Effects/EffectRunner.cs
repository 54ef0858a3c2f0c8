using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Runtime.Billing;
using Omium.Runtime.Effects.Limits;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Resources;

namespace Omium.Runtime.Effects;

/// <summary>Tells people. Delivery is at least once.</summary>
public interface INotifier
{
    /// <summary>
    /// Delivers one notification. Answers null when it was delivered, else why not, for people and without secrets: it is tried again for half an
    /// hour, then given up and shown as undelivered.
    /// </summary>
    Task<string?> TryNotifyAsync(ExecutionCell cell, NotificationRequested notification, CancellationToken cancellation);
}

/// <summary>
/// Runs one outstanding effect and records what became of it: the only place where work leaves the kernel. It transports and decides nothing.
/// <code>
/// model, run        call out -> settle_effect
/// replay            read the source's records -> settle_effect (a sandbox)
/// call              begin_call (intent durable) -> call out -> raw result put aside -> settle_effect
/// measure           call out -> settle_effect
/// verify, undo      call out -> settle_effect
/// notify            try to deliver -> record_notification (delivered, or why not)
/// timer             wake_timers
/// gather, prepare, settle, restore   what executions share: see SharedRunner
/// reserve           credits of the tenant's ledger: see ExecutionCredits
/// </code>
/// </summary>
/// <param name="advancer">The writer.</param>
/// <param name="shared">Carries out what executions owe to what is shared.</param>
/// <param name="model">Model client.</param>
/// <param name="tools">Tool client.</param>
/// <param name="notifier">Notifier.</param>
/// <param name="owner">Identity of this process incarnation: intents it records are its own to carry out.</param>
public sealed partial class EffectRunner(Advancer advancer, SharedRunner shared, IModelClient model, IToolClient tools, INotifier notifier, string owner)
{
    private readonly ConcurrentDictionary<(StreamId Stream, string Effect), bool> _underWay = new();
    /// <summary>Carries out what executions owe to what is shared.</summary>
    public SharedRunner Shared => shared;

    /// <summary>Reserves and charges credits; null where nothing is metered.</summary>
    public ExecutionCredits? Credits { get; init; }

    /// <summary>Added to a call's time-out before its intent is in doubt. Default 5 s.</summary>
    public TimeSpan IntentMargin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an outcome that is in hand waits before its record is tried again after the store refused it; default 1 s.</summary>
    public TimeSpan RetryStorageAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Told when an outcome is held in hand because the store cannot take its record: stream, effect id, why.</summary>
    public Action<ExecutionCell, string, Exception>? OnHeld { get; set; }

    /// <summary>Identity of this process incarnation.</summary>
    public string Owner => owner;

    /// <summary>Receives the text of answers as they stream in: stream, effect id, delta. Never stored.</summary>
    public Action<ExecutionCell, string, string>? OnDelta { get; set; }

    /// <summary>Limits of agents and tools. Default: those of this process.</summary>
    public EffectLimits Limits { get; init; } = new(new ProcessLimiter(TimeProvider.System));

    /// <summary>Runs an effect to its record, once its agent's or tool's limits let it. Null when there was nothing to do (any more).</summary>
    public async ValueTask<AdvanceResult?> RunAsync(ExecutionCell cell, PendingEffect effect, CancellationToken cancellation)
    {
        using var permit = await Limits.EnterAsync(cell, effect, cancellation);
        return await RunAsync(cell, effect, permit, cancellation);
    }

    /// <summary>The same for a host that has waited for the permit (<see cref="EffectLimits.EnterAsync"/>) by itself.</summary>
    public ValueTask<AdvanceResult?> RunAsync(ExecutionCell cell, PendingEffect effect, CallPermit permit, CancellationToken cancellation) => effect.Kind switch
    {
        PendingKind.Timer or PendingKind.Deadline => WakeAsync(cell, effect, cancellation),
        PendingKind.Notify => NotifyAsync(cell, effect, cancellation),
        PendingKind.Measure => MeasureAsync(cell, effect, permit, cancellation),
        PendingKind.StartChild => StartChildAsync(cell, effect, cancellation),
        PendingKind.CancelChild => CancelChildAsync(cell, effect, cancellation),
        PendingKind.TellParent => TellParentAsync(cell, cancellation),
        PendingKind.Replay => ReplayAsync(cell, effect, cancellation),
        PendingKind.Model => AskModelAsync(cell, effect, permit, cancellation),
        PendingKind.Gather or PendingKind.Prepare or PendingKind.SettleSharing or PendingKind.Restore => shared.RunAsync(cell, effect, cancellation),
        PendingKind.Reserve => Credits?.RunAsync(cell, effect, cancellation) ?? default,
        _ => CallToolAsync(cell, effect, permit, cancellation),
    };

    /// <summary>
    /// Time has passed. Calls that this runner is making right now are not in doubt, whatever the clock says (it may have jumped): their own
    /// time-outs run on, and their outcome will be recorded here.
    /// </summary>
    private async ValueTask<AdvanceResult?> WakeAsync(ExecutionCell cell, PendingEffect effect, CancellationToken cancellation)
    {
        string[] underWay = [.. _underWay.Keys.Where(key => key.Stream == cell.Stream).Select(key => key.Effect).Order(StringComparer.Ordinal)];
        return underWay.Any(call => effect.Id.StartsWith($"doubt~{call}~", StringComparison.Ordinal))
            ? null
            : await advancer.AdvanceAsync(cell.Stream, new WakeTimers(advancer.NowMs, underWay.Length == 0 ? null : underWay), null, cancellation);
    }

    /// <summary>
    /// After a restart: results that were put aside are recorded. With <paramref name="isAlone"/> every other runner is known to have ended, and
    /// their intents without a result are in doubt at once; else these wait for their time.
    /// </summary>
    public async ValueTask<AdvanceResult> RecoverAsync(ExecutionCell cell, bool isAlone, CancellationToken cancellation)
    {
        var state = cell.State;
        var lost = state.Visits.Values.OrderBy(visit => visit.Ordinal).SelectMany(visit => visit.Calls).Where(call => call is { Status: CallStatus.Intent, IsTask: false } && call.Owner != owner).ToArray();
        foreach (var call in lost)
        {
            if (await advancer.ReadPayloadAsync(cell, RawResults.KeyOf(call.Id, call.Runs), cancellation) is { } raw)
            {
                await RecordAsync(cell, call.Id.ToString(), RawResults.Read(raw), null, call.Runs, cancellation);
            }
        }

        ExecutionCommand after = isAlone ? new LoseRunner(advancer.NowMs, owner) : new WakeTimers(advancer.NowMs);
        return await advancer.AdvanceAsync(cell.Stream, after, null, cancellation);
    }

    /// <summary>Answers a sandbox's call with what its source has on record; nothing is reached.</summary>
    private async ValueTask<AdvanceResult?> ReplayAsync(ExecutionCell cell, PendingEffect effect, CancellationToken cancellation)
    {
        var state = cell.State;
        if (!EffectId.TryParse(effect.Id, out var id) || FindCall(state, id) is not { } call || state.Fork is not { } fork)
        {
            return null;
        }

        var source = await advancer.FindAsync(new StreamId(cell.Stream.Tenant, fork.From), cancellation);
        var outcome = source is not null && RecordedResults.Find(state, call, source.State) is { } recorded
            ? new EffectOutcome { Result = recorded.Result, Source = RecordedResults.NameOf(source.State, recorded) }
            : new EffectOutcome { Failure = new EffectFailure(FailureClasses.ToolError, "not_recorded", $"{fork.From} has no recorded result of this call", Permanent: true) };
        return await advancer.AdvanceAsync(cell.Stream, new SettleEffect(advancer.NowMs, effect.Id, outcome), null, cancellation);
    }

    private async ValueTask<AdvanceResult?> AskModelAsync(ExecutionCell cell, PendingEffect effect, CallPermit permit, CancellationToken cancellation)
    {
        if (!EffectId.TryParse(effect.Id, out var id) || !cell.State.Visits.TryGetValue(id.Key, out var visit) || cell.Plan is null)
        {
            return null;
        }

        if (id.Part == 'j')
        {
            return await AskVerifierAsync(cell, effect, id, visit, permit, cancellation);
        }

        var state = cell.State;
        var found = await ResolveAllAsync(cell, visit, cancellation);
        var request = AgentConversation.Build(state, cell.Plan, visit, null, value => found(value));
        var onDelta = OnDelta is { } deltas ? text => deltas(cell, effect.Id, text) : (Action<string>?)null;
        var refused = EffectLimits.Refusal(permit, effect.Kind);
        if (refused is null && Credits is not null && await Credits.TryReserveAsync(cell, effect.Id, request, cancellation) is { IsPaid: false } unpaid)
        {
            return unpaid.Waits;
        }

        var outcome = refused ?? await model.AnswerAsync(request, onDelta, cancellation);
        EffectLimits.Report(permit, outcome);
        var recorded = await SettleAsync(cell, effect.Id, StoredOnce(cell, id, outcome, out var values), cancellation, values);
        Credits?.Charge(cell, effect.Id, outcome, recorded);
        return recorded;
    }

    /// <summary>
    /// A large final answer by reference to what the step reads it as: that is stored as the step's output anyway. Larger than a decision may read, or
    /// unreadable: as it is.
    /// </summary>
    private static EffectOutcome StoredOnce(ExecutionCell cell, EffectId id, EffectOutcome outcome, out Dictionary<string, byte[]>? values)
    {
        values = null;
        if (outcome.Answer is not { Content: { Length: > PayloadReference.InlineBytesMax / 4 } content, ToolCalls.Count: 0, Refusal: null, FinishReason: "stop" } answer
            || ExecutionKernel.ReadAnswer(cell.Plan!, id.Step, content) is not { } output || PayloadReference.BytesOf(output).Length > AnswerBytesMax)
        {
            return outcome;
        }

        var stored = PayloadResolver.Intern(output, ref values);
        return values is null ? outcome : outcome with { Answer = answer with { Content = null, Output = stored } };
    }

    /// <summary>Half of what a decision may read: there is room for its input, too.</summary>
    private const int AnswerBytesMax = PayloadReference.DecisionBytesMax / 2;

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

    private async ValueTask<AdvanceResult?> CallToolAsync(ExecutionCell cell, PendingEffect effect, CallPermit permit, CancellationToken cancellation)
    {
        if (!EffectId.TryParse(effect.Id, out var id) || FindCall(cell.State, id) is not { } call)
        {
            return null;
        }

        if (effect.Kind == PendingKind.Compensate && call.Child is not null)
        {
            return await TakeBackChildAsync(cell, effect, call, cancellation);
        }

        var needsIntent = effect.Kind == PendingKind.Call || (effect.Kind == PendingKind.Compensate && ToolRendering.UndoNeedsIntent(cell.Plan!, call));
        if (needsIntent)
        {
            var current = await shared.CurrentAsync(cell, effect.Id, cancellation);
            var begun = await advancer.AdvanceAsync(
                cell.Stream, new BeginCall(advancer.NowMs, effect.Id, owner, (long)IntentMargin.TotalMilliseconds, current), null, cancellation);
            if (!begun.Changed || begun.Rejection is not null)
            {
                if (begun.Rejection is { Code: "versions_needed" })
                {
                    shared.OnNudge?.Invoke(cell.Stream, 0);
                }

                // Somebody else has the intent, or it is no longer wanted; a refusal on record (something has changed since) has consequences.
                return begun.Changed ? begun : null;
            }

            (cell, call) = (begun.Cell, FindCall(begun.Cell.State, id)!);
            _underWay[(cell.Stream, effect.Id)] = true;
        }

        try
        {
            var outcome = EffectLimits.Refusal(permit, effect.Kind) ?? await CarryOutAsync(cell, effect.Kind, id.Sub, call, cancellation);
            EffectLimits.Report(permit, outcome);
            if (effect.Kind != PendingKind.Call)
            {
                return await SettleAsync(cell, effect.Id, outcome, cancellation);
            }

            var recordable = Recordable(outcome, out var values);
            return await HoldAsync(cell, effect.Id, async () =>
            {
                if (values is not null)
                {
                    await advancer.StoreValuesAsync(cell, values, cancellation);
                }

                await advancer.StorePayloadAsync(cell, RawResults.KeyOf(call.Id, call.Runs), RawResults.Write(recordable), cancellation);
                return await RecordAsync(cell, effect.Id, recordable, values, call.Runs, cancellation);
            }, cancellation);
        }
        finally
        {
            _underWay.TryRemove((cell.Stream, effect.Id), out _);
        }
    }

    private async ValueTask<EffectOutcome> CarryOutAsync(ExecutionCell cell, PendingKind kind, char sub, CallState call, CancellationToken cancellation)
    {
        var (request, problem) = await RenderAsync(cell, kind, sub, call, cancellation);
        if (request is null)
        {
            return new EffectOutcome { Failure = new EffectFailure(FailureClasses.ExpressionFailed, "request_template", problem ?? "the request cannot be rendered", Permanent: true) };
        }

        // Others may take an intent for lost once its time is over. Who was kept from calling for so long must not call any more.
        var isLate = kind == PendingKind.Call && advancer.NowMs + (long)request.Timeout.TotalMilliseconds > call.InDoubtAtMs;
        return isLate
            ? new EffectOutcome { Failure = new EffectFailure(FailureClasses.Timeout, "runner_stalled", "the runner stood still for so long that it did not call") }
            : await tools.CallAsync(request, cancellation);
    }

    /// <summary>An outcome in hand is not dropped because the store cannot take it now: nobody could tell afterwards what had happened.</summary>
    private async ValueTask<AdvanceResult?> HoldAsync(ExecutionCell cell, string effect, Func<ValueTask<AdvanceResult?>> record, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return await record();
            }
            catch (StorageUnavailableException error)
            {
                OnHeld?.Invoke(cell, effect, error);
                await Task.Delay(RetryStorageAfter, advancer.Time, cancellation);
            }
        }
    }

    private async ValueTask<(ToolRequest? Request, string? Problem)> RenderAsync(ExecutionCell cell, PendingKind kind, char sub, CallState call, CancellationToken cancellation)
    {
        var arguments = await advancer.MaterializeAsync(cell, call.Arguments, cancellation);
        var values = new DecisionValues(cell.Plan!);
        string? problem;
        ToolRequest? request;
        switch (kind)
        {
            case PendingKind.Verify when sub == 'w':
                var undone = call.Result is { } known ? await advancer.MaterializeAsync(cell, known, cancellation) : (JsonElement?)null;
                request = ToolRendering.TryRenderUndoVerify(cell.State, values, call, arguments, undone, out problem);
                break;
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

    private async ValueTask<AdvanceResult?> SettleAsync(
        ExecutionCell cell, string effect, EffectOutcome outcome, CancellationToken cancellation, Dictionary<string, byte[]>? answered = null)
    {
        var recordable = Recordable(outcome, out var values);
        values ??= answered;
        try
        {
            return await advancer.AdvanceAsync(cell.Stream, new SettleEffect(advancer.NowMs, effect, recordable), values, cancellation);
        }
        catch (StorageUnavailableException error)
        {
            OnHeld?.Invoke(cell, effect, error);
            await Task.Delay(RetryStorageAfter, advancer.Time, cancellation);
            return await HoldAsync(cell, effect, () => RecordAsync(cell, effect, recordable, values, 0, cancellation), cancellation);
        }
    }

    private async ValueTask<AdvanceResult?> RecordAsync(
        ExecutionCell cell, string effect, EffectOutcome recordable, Dictionary<string, byte[]>? values, int run, CancellationToken cancellation) =>
        await advancer.AdvanceAsync(cell.Stream, new SettleEffect(advancer.NowMs, effect, recordable, run), values, cancellation);

    /// <summary>An outcome as commands carry it: canonical, a large result as a reference to one of <paramref name="values"/>.</summary>
    private static EffectOutcome Recordable(EffectOutcome outcome, out Dictionary<string, byte[]>? values)
    {
        values = null;
        var canonical = Canonical(outcome);
        return canonical.Result is { } result ? canonical with { Result = PayloadResolver.Intern(result, ref values) } : canonical;
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

        var attempt = cell.State.NotificationAttempts.GetValueOrDefault(number).Attempts + 1;
        var problem = await notifier.TryNotifyAsync(cell, notification, cancellation);
        return await advancer.AdvanceAsync(cell.Stream, new RecordNotification(advancer.NowMs, number, problem, problem is null ? 0 : attempt), null, cancellation);
    }

    private static CallState? FindCall(ExecutionState state, EffectId id) =>
        state.Visits.GetValueOrDefault(id.Key)?.Calls.Find(call => call.Id == id.WithoutSub);
}
