using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Omium.Api.Http;
using Omium.Api.Reviews;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary>
/// <c>POST /v1/executions/{id}/fork</c>: goes on from a point of the past as an execution of its own. A live fork is two requests: the first is
/// answered 409 with the effects that would happen again, the second carries that list's digest.
/// </summary>
internal static class ForkEndpoints
{
    private static readonly string[] Modes = [ForkModes.Sandbox, ForkModes.Live];

    public static void Map(ApiRoutes routes) => routes.Map("POST", "/v1/executions/{id}/fork", ForkAsync)
        .As("fork_execution", "Goes on from a point of the past as an execution of its own; with `preview`, shows what would run again.")
        .Header("Prefer", "`wait=N` answers when it has ended or paused, or after N seconds.")
        .Reads(RequestJson.Default.ForkRequest, isOptional: true)
        .Answers(ContractJson.Default.ForkPreviewView, StatusCodes.Status200OK, "With `preview`: what would run again.")
        .Answers(ContractJson.Default.ExecutionView, StatusCodes.Status201Created, "The fork; with `Prefer: wait`, it has ended or paused.")
        .Answers(ContractJson.Default.ExecutionView, StatusCodes.Status202Accepted, "It goes on.")
        .Refuses("effects_unacknowledged", "validation_failed", "input_invalid", "override_refused", "edit_forbidden", "idempotency_mismatch");

    private static async Task ForkAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.ForkRequest, new ForkRequest()) is not { } request || await call.TryExecutionAsync() is not { Lineage: { } lineage } named)
        {
            return;
        }

        if (request.Mode is { } word && !Modes.Contains(word))
        {
            await call.InvalidAsync("/mode", "A mode is sandbox or live.");
            return;
        }

        if (request.At is { } given && (given < 1 || given > named.Seq))
        {
            await call.InvalidAsync("/at", $"'at' is the number of a record, 1 to {named.Seq}.");
            return;
        }

        // A point before the execution's own first record lies in its source: that is what is forked.
        var at = request.At ?? named.Seq;
        var (stored, payloads) = (new Dictionary<string, byte[]>(StringComparer.Ordinal), request.Edits);
        if (await call.TryExecutionAsync(lineage.SegmentOf(at).Stream.Id) is not { } source || await TryEditsAsync(call, payloads, stored) is not (true, var edits)
            || (request is { Mode: ForkModes.Live, Preview: not true } && !await TryAdmitAsync(call, lineage, edits is not null || lineage.IsFork)))
        {
            return;
        }

        await ForkAsync(call, request, source, at, edits, stored);
    }

    private static async Task ForkAsync(ApiCall call, ForkRequest request, ExecutionCell source, long at, ForkEdits? edits, Dictionary<string, byte[]> stored)
    {
        var atPoint = await call.Services.Advancer.StateAtAsync(source.Stream, at, call.Cancellation);
        var plan = await call.Services.Plans.GetAsync(call.Caller.Tenant, atPoint.SpecDigest, call.Cancellation);
        var preview = await ForkViews.PreviewAsync(call.Services, source, at, ExecutionKernel.PreviewFork(atPoint, source.State, new DecisionValues(plan), edits, request.Mode ?? ForkModes.Sandbox), call.Cancellation);
        if (request.Preview == true)
        {
            await call.JsonAsync(preview, ContractJson.Default.ForkPreviewView);
            return;
        }

        var mode = request.Mode ?? ForkModes.Sandbox;
        if (mode == ForkModes.Live && request.Acknowledge != preview.Digest)
        {
            var shown = JsonSerializer.SerializeToElement(preview, ContractJson.Default.ForkPreviewView);
            var detail = request.Acknowledge is null
                ? $"A live fork would make {preview.Repeats.Count} external calls and {preview.Writes.Count} writes of shared values again."
                : "What would happen again is not what you acknowledged: look at the list as it is now.";
            await call.ProblemAsync("effects_unacknowledged", detail, null, preview.Digest, shown);
            return;
        }

        var identity = $"fork\n{source.Stream.Id}\n{at}\n{mode}\n{CanonicalJson.Digest(JsonSerializer.SerializeToUtf8Bytes(edits, KernelJson.Default.ForkEdits))}";
        if (await StartKeys.TryClaimAsync(call, null, identity) is not { } claim || await call.Services.Advancer.ReadAsync(source.Stream, at - 1, 1, call.Cancellation) is not [var last])
        {
            return;
        }

        if (call.Services.Credits.Executions is { } credits)
        {
            await credits.TellCapAsync(call.Caller.Tenant, call.Caller.KeyId, call.Caller.SpendCapCredits);
        }

        if (!await call.Services.Family.TryNoteAsync(source.Lineage!.Root, claim.Execution, call.Cancellation))
        {
            await call.ProblemAsync("execution_not_found", $"{source.Stream.Id} is being erased.");
            return;
        }

        var command = new ForkExecution(
            call.Services.Advancer.NowMs, claim.Execution, source.Stream.Id, at, Convert.ToHexStringLower(last.Record.Hash), mode, edits, RandomNumberGenerator.GetInt32(int.MaxValue),
            call.Caller.KeyId, mode == ForkModes.Live ? preview.Digest : null);
        await ExecutionEndpoints.RunAsync(call, new StreamId(call.Caller.Tenant, claim.Execution), command, stored.Count == 0 ? null : stored);
    }

    /// <summary>
    /// A fork that reaches outside is a retry of its own: false when it would go past what somebody else was asked, of the execution or of one that it was
    /// forked from, which was answered. A fork that is forked brings along what it was edited with.
    /// </summary>
    private static async ValueTask<bool> TryAdmitAsync(ApiCall call, Lineage lineage, bool corrects)
    {
        foreach (var stream in lineage.Segments.Select(segment => segment.Stream).Distinct())
        {
            if (await call.Services.Advancer.FindAsync(stream, call.Cancellation) is { State: var asked }
                && !(await Escalations.TryAnswerAsync(call, asked, _ => true) && (!corrects || await Corrections.TryAdmitAsync(call, asked))))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Edits as the command carries them; false when they were answered with a problem.</summary>
    private static async ValueTask<(bool Ok, ForkEdits? Edits)> TryEditsAsync(ApiCall call, ForkEditsRequest? given, Dictionary<string, byte[]> stored)
    {
        if (given is null)
        {
            return (true, null);
        }

        var agents = new List<AgentChange>();
        foreach (var (agent, edit) in (given.Agents ?? new Dictionary<string, Contracts.Reviews.AgentEdits>()).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (!await TextLimits.TryEditsAsync(call, edit))
            {
                return default;
            }

            agents.Add(new AgentChange(agent, ExecutionCommandEndpoints.Edit(edit)!));
        }

        var steps = new List<StepChange>();
        foreach (var (step, change) in (given.Steps ?? new Dictionary<string, StepChangeRequest>()).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var pointer = JsonPointer.Append("/edits/steps", step);
            if (await call.TryInternAsync(change.Input, pointer + "/input", stored) is not (true, var input) || await call.TryInternAsync(change.Output, pointer + "/output", stored) is not (true, var output))
            {
                return default;
            }

            steps.Add(new StepChange(step, input, output));
        }

        return await call.TryInternAsync(given.Input, "/edits/input", stored) is (true, var whole)
            ? (true, new ForkEdits(whole, agents.Count == 0 ? null : agents, steps.Count == 0 ? null : steps))
            : default;
    }
}

/// <summary>Forks as answered.</summary>
internal static class ForkViews
{
    public static async Task<ForkPreviewView> PreviewAsync(ApiServices services, ExecutionCell source, long at, ForkPreview preview, CancellationToken cancellation)
    {
        var payloads = await AnswerPayloads.LoadAsync(services, source, preview.Repeats.Select(call => call.Arguments), cancellation);
        var repeats = preview.Repeats
            .Select(call => new RepeatedCallView(
                RecordedResults.NameOf(source.State, call), call.Id.Step, call.Id.Visit, call.Tool, ExecutionViews.WordOf(call.Kind), ExecutionViews.WordOf(call.Status), payloads.Show((JsonElement?)call.Arguments)))
            .ToArray();
        var identity = new StringBuilder().Append(source.Stream.Id).Append('\n').Append(at);
        foreach (var call in preview.Repeats)
        {
            identity.Append('\n').Append(call.Id).Append(' ').Append(call.Tool).Append(' ').Append(call.ArgumentsDigest);
        }

        foreach (var (visit, key) in preview.Rewrites)
        {
            identity.Append('\n').Append(visit).Append(" writes ").Append(key);
        }

        return new ForkPreviewView(
            source.Stream.Id, at, [.. preview.RunsAgain.Select(ExecutionViews.Reference)], repeats,
            [.. preview.Rewrites.Select(write => new RewrittenValueView(write.Visit.Step, write.Visit.Visit, write.Key))], CanonicalJson.Digest(Encoding.UTF8.GetBytes(identity.ToString())));
    }
}
