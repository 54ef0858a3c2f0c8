using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Effects;

/// <summary>Decides, records, and sees to what becomes outstanding in that execution: how a runner reaches another execution than its own.</summary>
public delegate ValueTask<AdvanceResult> SubmitCommand(
    StreamId stream, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? payloads = null, CancellationToken cancellation = default);

/// <summary>
/// What runs between parents and children. Two streams, no transaction: each step is a command that the other side takes once, and stays
/// outstanding on its own side until that is on record.
/// <code>
/// start_child    child: start (no-op the second time) -> parent: record_child_started
/// tell_parent    parent: settle_effect (no-op the second time) -> child: record_parent_notice
/// cancel_child   child: cancel -> parent: record_child_cancel
/// compensate     child: rollback, then it tells its parent
/// </code>
/// </summary>
public sealed partial class EffectRunner
{
    /// <summary>Reaches other executions; the engine sets it. Without one, what becomes outstanding there waits for its host.</summary>
    public SubmitCommand? Submit { get; set; }

    private SubmitCommand Elsewhere => Submit ?? advancer.AdvanceAsync;

    private async ValueTask<AdvanceResult?> StartChildAsync(ExecutionCell cell, PendingEffect effect, CancellationToken cancellation)
    {
        if (!EffectId.TryParse(effect.Id, out var id) || FindCall(cell.State, id) is not { Child: { } child } call)
        {
            return null;
        }

        if (await PinnedAsync(cell, call, cancellation) is not { } version)
        {
            return await SettleAsync(cell, effect.Id, Failed(FailureClasses.ToolError, "workflow_not_found", $"there is no workflow '{call.Tool}'"), cancellation);
        }

        var (start, stored) = await StartOfAsync(cell, call, version, cancellation);
        var begun = await Elsewhere(ChildStream(cell, child), start, stored, cancellation);
        if (begun.Rejection is { Code: not "execution_exists" } refused)
        {
            return await SettleAsync(cell, effect.Id, Failed(FailureClasses.SchemaViolation, refused.Code, $"{call.Tool} cannot be started: {refused.Message}"), cancellation);
        }

        var state = begun.Cell.State;
        return await advancer.AdvanceAsync(cell.Stream, new RecordChildStarted(advancer.NowMs, effect.Id, state.WorkflowVersion, state.SpecDigest), null, cancellation);
    }

    /// <summary>
    /// Rolls a child back; it tells when that is done. One that is not there is begun first, so that a start that is on its way finds it there; if that was
    /// faster, or if the child has done all its work with its first record, there is one to be rolled back like any other.
    /// </summary>
    private async ValueTask<AdvanceResult?> TakeBackChildAsync(ExecutionCell cell, PendingEffect effect, CallState call, CancellationToken cancellation)
    {
        var child = ChildStream(cell, call.Child!);
        if (await advancer.FindAsync(child, cancellation) is null)
        {
            switch (await TakeIdAsync(cell, call, cancellation))
            {
                case TakenId.None:
                    return await SettleAsync(cell, effect.Id, new EffectOutcome { Result = JsonMake.EmptyObject }, cancellation);
                case TakenId.Erased:
                    return await SettleAsync(
                        cell, effect.Id, Failed(FailureClasses.ToolError, "child_erased", $"{call.Child} was erased, and what it did with it: nobody knows any more what there is to undo"), cancellation);
            }
        }

        var parent = cell.State.ExecutionId;
        var rolled = await Elsewhere(child, new RollBackExecution(advancer.NowMs, parent, $"{parent}/{effect.Id}", "start", "all", End: true), null, cancellation);
        switch (rolled.Rejection)
        {
            case null:
                return null; // It owes the news: told as soon as every effect of it is undone.
            case { Code: "rollback_in_progress" } busy:
                return await SettleAsync(cell, effect.Id, new EffectOutcome { Failure = new EffectFailure(FailureClasses.ToolError, busy.Code, busy.Message) }, cancellation);
            case { } refused:
                await Elsewhere(child, new CancelExecution(advancer.NowMs, parent, $"{parent}/{effect.Id}/cancel"), null, cancellation);
                return await SettleAsync(cell, effect.Id, Failed(FailureClasses.ToolError, refused.Code, $"{call.Child} cannot be rolled back: {refused.Message}"), cancellation);
        }
    }

    private async ValueTask<AdvanceResult?> CancelChildAsync(ExecutionCell cell, PendingEffect effect, CancellationToken cancellation)
    {
        if (!EffectId.TryParse(effect.Id, out var id) || FindCall(cell.State, id) is not { Child: { } child } call)
        {
            return null;
        }

        if (await advancer.FindAsync(ChildStream(cell, child), cancellation) is not null || await TakeIdAsync(cell, call, cancellation) == TakenId.Taken)
        {
            var parent = cell.State.ExecutionId;
            await Elsewhere(ChildStream(cell, child), new CancelExecution(advancer.NowMs, parent, $"{parent}/{effect.Id}/cancel"), null, cancellation);
        }

        return await advancer.AdvanceAsync(cell.Stream, new RecordChildCancel(advancer.NowMs, effect.Id), null, cancellation);
    }

    private async ValueTask<AdvanceResult?> TellParentAsync(ExecutionCell cell, CancellationToken cancellation)
    {
        var state = cell.State;
        if (state is not { Notice: { } notice, Parent: { } parent })
        {
            return null;
        }

        var outcome = notice.IsRollback ? RolledBack(state, notice) : await EndedAsync(cell, state, cancellation);
        if (outcome is null)
        {
            return null; // It goes on again: the news is another by now.
        }

        Dictionary<string, byte[]>? stored = null;
        if (outcome.Result is { } result)
        {
            outcome = outcome with { Result = PayloadResolver.Intern(result, ref stored) };
        }

        await Elsewhere(new StreamId(cell.Stream.Tenant, parent.Execution), new SettleEffect(advancer.NowMs, notice.Effect, outcome), stored, cancellation);
        return await advancer.AdvanceAsync(cell.Stream, new RecordParentNotice(advancer.NowMs, notice.Number), null, cancellation);
    }

    private static EffectOutcome RolledBack(ExecutionState state, ParentNotice notice) => notice.Residue == 0
        ? new EffectOutcome { Result = JsonMake.EmptyObject }
        : Failed(FailureClasses.ToolError, "child_residue", $"{notice.Residue} effects of {state.ExecutionId} could not be undone");

    private async ValueTask<EffectOutcome?> EndedAsync(ExecutionCell cell, ExecutionState state, CancellationToken cancellation)
    {
        switch (state.Status)
        {
            case ExecutionStatus.Succeeded:
                return new EffectOutcome { Result = await advancer.MaterializeAsync(cell, state.Output ?? JsonMake.Null, cancellation) };
            case ExecutionStatus.Failed when state.FailedVisit is { } key && state.Visits[key].Failures is [.., var last]:
                var failure = last.Failure;
                return new EffectOutcome { Failure = new EffectFailure(failure.Class, failure.Code, $"{state.Workflow} ({state.ExecutionId}) failed at {failure.Step}: {failure.Message}") };
            case ExecutionStatus.Failed or ExecutionStatus.Cancelled:
                return Failed(FailureClasses.Rejected, "child_cancelled", $"{state.Workflow} ({state.ExecutionId}) was cancelled");
            default:
                return null;
        }
    }

    /// <summary>
    /// Begins a child that is to end at once: its id is taken, and a start that comes late does nothing. None to end: what cannot be started now cannot be
    /// started late either.
    /// </summary>
    private async ValueTask<TakenId> TakeIdAsync(ExecutionCell cell, CallState call, CancellationToken cancellation)
    {
        if (await PinnedAsync(cell, call, cancellation) is not { } version)
        {
            return TakenId.None;
        }

        var (start, stored) = await StartOfAsync(cell, call, version, cancellation);
        var begun = await advancer.AdvanceAsync(ChildStream(cell, call.Child!), start, stored, cancellation);
        return begun.Rejection switch
        {
            null or { Code: "execution_exists" } => TakenId.Taken,
            { Code: AdvanceResult.ErasedCode } => TakenId.Erased,
            _ => TakenId.None,
        };
    }

    /// <summary>What became of taking the id of a child that is to end.</summary>
    private enum TakenId
    {
        /// <summary>There is no child, and none will come.</summary>
        None,

        /// <summary>There is one.</summary>
        Taken,

        /// <summary>There was one, which has been erased.</summary>
        Erased,
    }

    private async ValueTask<(StartExecution Start, Dictionary<string, byte[]>? Stored)> StartOfAsync(ExecutionCell cell, CallState call, ChildVersion version, CancellationToken cancellation)
    {
        Dictionary<string, byte[]>? stored = null;
        var state = cell.State;
        var input = PayloadResolver.Intern(await advancer.MaterializeAsync(cell, call.Arguments, cancellation), ref stored);
        var start = new StartExecution(
            advancer.NowMs, call.Child!, cell.Stream.Tenant, call.Tool, version.Version, version.SpecDigest, input, SeedOf(call.Child!), state.ExecutionId,
            state.HighValueUsd, new ParentLink(state.ExecutionId, call.Id.ToString(), call.ChildDepth),
            // Nobody is there to be refused: it begins without credits, and asks for them at its first step.
            Lease: state.Credits is { } credits ? new CreditLease(0, 0, credits.CheckpointMicro, credits.ItemMicro) : null);
        return (start, stored);
    }

    private async ValueTask<ChildVersion?> PinnedAsync(ExecutionCell cell, CallState call, CancellationToken cancellation) =>
        cell.State.ChildVersions.TryGetValue(call.Tool, out var pinned) ? pinned : await advancer.FindWorkflowAsync(cell.Stream.Tenant, call.Tool, cancellation);

    /// <summary>A child's randomness follows from its id, so that starting it twice is the same command.</summary>
    private static int SeedOf(string child) => (int)(BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(child))) & int.MaxValue);

    private static StreamId ChildStream(ExecutionCell cell, string child) => new(cell.Stream.Tenant, child);

    private static EffectOutcome Failed(string @class, string code, string message) => new() { Failure = new EffectFailure(@class, code, message, Permanent: true) };
}
