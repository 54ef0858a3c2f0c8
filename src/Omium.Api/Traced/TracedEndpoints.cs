using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Omium.Api.Executions;
using Omium.Api.Http;
using Omium.Api.OpenApi;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Traced;

/// <summary>
/// Code that runs elsewhere: <c>POST /v1/executions</c> with <c>mode: traced</c>, <c>POST /v1/executions/{id}/trace</c> with operations that cost one record together,
/// and the same operations one by one at <c>steps</c>, <c>handoffs</c>, <c>intents</c>, <c>heartbeat</c> and <c>complete</c>.
/// </summary>
internal static class TracedEndpoints
{
    private const long LeaseMsDefault = 30_000, LeaseMsMin = 100, LeaseMsMax = 3_600_000;
    private const int WaitMsMax = 60_000, KnownMax = 10_000;
    private static readonly ConcurrentDictionary<(IDocumentStore Store, string Tenant, string Digest), bool> Known = new();

    public static void Map(ApiRoutes routes)
    {
        Describe(routes.Map("POST", "/v1/executions/{id}/trace", TraceAsync), "trace_execution", "Tells and asks several things of a traced execution in one record.", RequestJson.Default.TraceRequest);
        Step(routes, "POST", "steps", "begin_step", "May this step run? With `do: record` it is begun and finished in one.",
            call => StepAsync(call, request => request.Do == TraceWords.Record ? TraceWords.Record : TraceWords.Begin));
        Step(routes, "POST", "intents", "begin_transaction", "Records the intent of a transaction before its code runs.",
            call => StepAsync(call, _ => TraceWords.Begin, request => request with { Kind = TracedKinds.Transaction }));
        Step(routes, "PUT", "steps/{sid}", "settle_step", "What became of a step: output, failure, or what its verify function found.", SettleAsync);
        Step(routes, "PUT", "intents/{sid}", "settle_transaction", "What became of a transaction.", SettleAsync);
        Step(routes, "POST", "handoffs", "hand_over", "Records a message of an agent.", call => StepAsync(call, _ => "handoff"));
        Step(routes, "POST", "handoffs/receive", "receive_handoff", "The newest message of an agent.", call => StepAsync(call, _ => TraceWords.Receive));
        Step(routes, "POST", "heartbeat", "renew_leases", "The process is alive: its leases begin anew.", call => StepAsync(call, _ => TraceWords.Renew));
        Step(routes, "POST", "complete", "complete_execution", "The program has ended.", call => StepAsync(call, _ => TraceWords.Complete));
    }

    private static void Step(ApiRoutes routes, string method, string place, string operation, string summary, ApiHandler handler) =>
        Describe(routes.Map(method, "/v1/executions/{id}/" + place, handler), operation, summary, RequestJson.Default.TraceStepRequest);

    private static void Describe(RouteDescription route, string operation, string summary, JsonTypeInfo body) =>
        route.As(operation, summary).Reads(body, bytesMax: options => options.InputBytesMax).Answers(ContractJson.Default.TraceView)
            .Refuses("execution_not_traced", "replay_mismatch", "task_fenced", "task_not_found", "execution_ended", "steps_open", "effect_not_due", "effect_not_found");

    /// <summary>Starts an execution, or goes on with the one that the id or start key names.</summary>
    public static async Task StartAsync(ApiCall call, StartExecutionRequest request)
    {
        var trace = request.Trace ?? new TraceRequest(call.Caller.KeyId, []);
        if (request.Workflow.Length > 0 || request.Version is not null)
        {
            await call.InvalidAsync("/workflow", "A traced execution has a 'name' and no workflow.");
            return;
        }

        if (request.Id is { } id)
        {
            if (await call.TryExecutionAsync(id) is { } known)
            {
                await GoOnAsync(call, known.Stream, trace, "/trace");
            }

            return;
        }

        if (request.Name is not { } name || !TracedNames.IsAllowed(name))
        {
            await call.InvalidAsync("/name", $"A name has 1 to {TracedNames.LengthMax} of letters, digits, '_', ':', '-' and inner spaces.");
            return;
        }

        if (await TryCommandAsync(call, trace, "/trace", isStart: true) is not { } command || await call.TryInternAsync(request.Input ?? JsonMake.EmptyObject, "/input") is not { } input
            || await TryPinAsync(call, name, request.Recovery) is not { } pinned
            || await StartKeys.TryClaimAsync(call, request.StartKey, $"traced:{name}\n{CanonicalJson.Digest(input.Value)}") is not { } claim)
        {
            return;
        }

        var stream = new StreamId(call.Caller.Tenant, claim.Execution);
        if (claim.IsKnown && await call.Services.Advancer.FindAsync(stream, call.Cancellation) is not null)
        {
            await GoOnAsync(call, stream, trace, "/trace");
            return;
        }

        foreach (var (digest, bytes) in input.Stored ?? [])
        {
            command.Stored[digest] = bytes;
        }

        var now = call.Services.Advancer.NowMs;
        var first = command.Operations.Count == 0 ? null : new TraceExecution(now, trace.Owner, LeaseOf(trace.LeaseMs), command.Operations);
        var start = new StartExecution(
            now, claim.Execution, call.Caller.Tenant, name, 0, pinned, input.Value, RandomNumberGenerator.GetInt32(int.MaxValue), call.Caller.KeyId, call.Services.Options.HighValueUsd, First: first);
        CreditLease? lease = null;
        if (call.Services.Credits.Executions is { } credits)
        {
            // As for a workflow: under a start key the reservation may be another request's, so that one that is refused puts nothing aside.
            var plan = await call.Services.Plans.GetAsync(call.Caller.Tenant, pinned, call.Cancellation);
            if (request.StartKey is not null && ExecutionEndpoints.RefusalOf(start, plan, command.Stored) is { } invalid)
            {
                await call.RejectedAsync(invalid);
                return;
            }

            (lease, var refused) = await credits.LeaseAsync(stream, call.Caller.KeyId, call.Caller.SpendCapCredits, plan);
            if (refused is not null)
            {
                await call.RejectedAsync(refused);
                return;
            }

            start = start with { Lease = lease };
        }

        var result = await call.Services.Engine.SubmitAsync(stream, start, command.Stored, call.Cancellation);
        if (!result.Changed && lease is not null)
        {
            await call.Services.Credits.Executions!.AbandonAsync(stream, lease, result.Cell.State); // Refused, or begun before by another request.
        }

        if (result.Rejection is { } rejection)
        {
            await call.RejectedAsync(rejection);
            return;
        }

        await StartedAsync(call, result.Cell, await ViewAsync(call, result.Cell, command.Operations, trace.Owner), StatusCodes.Status201Created);
    }

    private static async Task TraceAsync(ApiCall call)
    {
        if (await call.TryExecutionAsync() is { } cell && await call.TryReadAsync(RequestJson.Default.TraceRequest) is { } request)
        {
            await SubmitAsync(call, cell.Stream, request, "");
        }
    }

    private static async Task StepAsync(ApiCall call, Func<TraceStepRequest, string> word, Func<TraceStepRequest, TraceStepRequest>? change = null)
    {
        if (await call.TryExecutionAsync() is { } cell && await call.TryReadAsync(RequestJson.Default.TraceStepRequest) is { } request)
        {
            request = change is null ? request : change(request);
            await SubmitAsync(call, cell.Stream, new TraceRequest(request.Owner, [request with { Do = word(request) }], request.LeaseMs, request.WaitMs, request.Epoch), "");
        }
    }

    /// <summary>What became of a step: its output, why there is none, or whether a transaction in doubt happened.</summary>
    private static async Task SettleAsync(ApiCall call)
    {
        if (await call.TryExecutionAsync() is { } cell && await call.TryReadAsync(RequestJson.Default.TraceStepRequest) is { } request)
        {
            var word = request.Failure is not null ? TraceWords.Fail : request.Status is not null ? TraceWords.Verified : TraceWords.Finish;
            await SubmitAsync(call, cell.Stream, new TraceRequest(request.Owner, [request with { Do = word, Sid = call.Route("sid") }], request.LeaseMs, request.WaitMs, request.Epoch), "");
        }
    }

    private static Task GoOnAsync(ApiCall call, StreamId stream, TraceRequest trace, string pointer) =>
        SubmitAsync(call, stream, trace with { Operations = [new TraceOperationRequest { Do = TraceWords.Attach }, .. trace.Operations] }, pointer, isStart: true);

    /// <summary>Decides the operations; while the last one has to wait, it is asked again whenever something happens, until the time is over.</summary>
    private static async Task SubmitAsync(ApiCall call, StreamId stream, TraceRequest request, string pointer, bool isStart = false)
    {
        if (await TryCommandAsync(call, request, pointer) is not { } command)
        {
            return;
        }

        using var listener = request.WaitMs > 0 ? call.Services.Feed.Listen(stream) : null;
        using var overtime = new CancellationTokenSource(TimeSpan.FromMilliseconds(request.WaitMs ?? 0), call.Services.Time);
        IReadOnlyList<TraceOperation> asked = command.Operations;
        while (true)
        {
            var now = call.Services.Advancer.NowMs;
            var result = await call.Services.Engine.SubmitAsync(stream, new TraceExecution(now, request.Owner, LeaseOf(request.LeaseMs), asked, request.Epoch), command.Stored, call.Cancellation);
            if (result.Rejection is { } rejection)
            {
                await call.RejectedAsync(rejection);
                return;
            }

            var last = TracedViews.Result(result.Cell.State, command.Operations[^1], request.Owner, now);
            if (listener is null || overtime.IsCancellationRequested || !TracedViews.Waits(last) || TracedViews.Undo(result.Cell.State, now) is not null)
            {
                var view = await ViewAsync(call, result.Cell, isStart ? [.. command.Operations.Skip(1)] : command.Operations, request.Owner);
                await (isStart ? StartedAsync(call, result.Cell, view, StatusCodes.Status200OK) : call.JsonAsync(view, ContractJson.Default.TraceView));
                return;
            }

            // An earlier one may wait as well, for credits for example: it comes first then, too.
            asked = [.. command.Operations.Where(operation => TracedViews.Waits(TracedViews.Result(result.Cell.State, operation, request.Owner, now)))];
            await NextAsync(call, listener, last.RetryAfterMs, overtime.Token);
        }
    }

    /// <summary>Until something happens to the execution, the time to try again has come, or the wait is over.</summary>
    private static async Task NextAsync(ApiCall call, ExecutionFeed.Listener listener, long? retryAfterMs, CancellationToken overtime)
    {
        using var due = new CancellationTokenSource(TimeSpan.FromMilliseconds(Math.Min(retryAfterMs + 1 ?? WaitMsMax, WaitMsMax)), call.Services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(overtime, due.Token, call.Cancellation);
        try
        {
            await listener.Items.WaitToReadAsync(either.Token);
            while (listener.Items.TryRead(out _))
            {
                // Whatever it was, the operation is asked again.
            }
        }
        catch (OperationCanceledException) when (!call.Cancellation.IsCancellationRequested)
        {
            // The time has come: it is asked again.
        }
    }

    private static async ValueTask<TraceView> ViewAsync(ApiCall call, ExecutionCell cell, IReadOnlyList<TraceOperation> operations, string owner)
    {
        var (seq, state, now) = (cell.Seq, cell.State, call.Services.Advancer.NowMs);
        async ValueTask<JsonElement?> Whole(JsonElement? value) => value is { } stored ? await call.Services.Advancer.MaterializeAsync(cell, stored, call.Cancellation) : null;
        var results = new List<TraceResult>(operations.Count);
        foreach (var operation in operations)
        {
            var result = TracedViews.Result(state, operation, owner, now);
            results.Add(result.Output is null ? result : result with { Output = await Whole(result.Output) });
        }

        var undo = TracedViews.Undo(state, now);
        undo = undo is null ? null : undo with { Input = await Whole(undo.Input), Output = await Whole(undo.Output) };
        return new TraceView { Execution = state.ExecutionId, Status = ExecutionWords.StatusOf(state), Seq = seq, Epoch = state.Epoch, Output = await Whole(state.Output), Results = results, Undo = undo };
    }

    /// <summary>The execution without its steps, which a program asks for one by one, and what was answered to it.</summary>
    private static Task StartedAsync(ApiCall call, ExecutionCell cell, TraceView trace, int status)
    {
        call.Context.Response.Headers.Location = $"/v1/executions/{trace.Execution}";
        var view = ExecutionViews.View(cell.State, trace.Seq, cell.Plan!, AnswerPayloads.None);
        return call.JsonAsync(view with { Steps = [], StepsOmitted = view.Steps.Count + view.StepsOmitted, Trace = trace }, ContractJson.Default.ExecutionView, status);
    }

    /// <summary>Operations as the kernel takes them, with the large values among them; null when it was answered with a problem.</summary>
    private static async ValueTask<TracedCommand?> TryCommandAsync(ApiCall call, TraceRequest request, string pointer, bool isStart = false)
    {
        if (request.Owner.Length is 0 or > 200)
        {
            await call.InvalidAsync(pointer + "/owner", "An owner is a text of 1 to 200 characters that no other process uses.");
            return null;
        }

        if (request.LeaseMs is < LeaseMsMin or > LeaseMsMax)
        {
            await call.InvalidAsync(pointer + "/lease_ms", $"A lease is from {LeaseMsMin} to {LeaseMsMax} milliseconds.");
            return null;
        }

        if (request.WaitMs is < 0 or > WaitMsMax)
        {
            await call.InvalidAsync(pointer + "/wait_ms", $"A wait is from 0 to {WaitMsMax} milliseconds.");
            return null;
        }

        if (request.Operations.Count > TracedOperations.CountMax + 1 || (request.Operations.Count == 0 && !isStart))
        {
            await call.InvalidAsync(pointer + "/operations", $"1 to {TracedOperations.CountMax} operations are decided at once.");
            return null;
        }

        var reader = new TracedOperations(call);
        var operations = new List<TraceOperation>(request.Operations.Count);
        for (var index = 0; index < request.Operations.Count; index++)
        {
            if (await reader.TryReadAsync(request.Operations[index], request.Operations.Count == 1 ? pointer : $"{pointer}/operations/{index}") is not { } operation)
            {
                return null;
            }

            operations.Add(operation);
        }

        return new TracedCommand(operations, reader.Stored);
    }

    /// <summary>The document that the execution is pinned to, stored by its digest; null when its policy cannot be read, which was answered.</summary>
    private static async ValueTask<string?> TryPinAsync(ApiCall call, string name, JsonElement? recovery)
    {
        var policy = recovery is { ValueKind: JsonValueKind.Null } ? null : recovery;
        if (policy is { } given && !CanonicalJson.TryNormalize(given, out _, out var problem))
        {
            await call.InvalidAsync("/recovery", problem!.Message, problem.Code);
            return null;
        }

        var content = CanonicalJson.Canonicalize(WorkflowPlan.TracedDocument(name, policy));
        if (policy is not null && WorkflowPlan.TryTraced(CanonicalJson.ParseTrusted(content), out var findings) is null)
        {
            await call.ProblemAsync("validation_failed", "The recovery policy cannot be read.", [.. findings.Select(found => new Contracts.Workflows.SpecProblem(found.Code, "error", "/recovery" + found.Pointer, found.Message, found.Mend))]);
            return null;
        }

        var digest = CanonicalJson.Digest(content);
        var key = (call.Services.Documents, call.Caller.Tenant, digest);
        if (!Known.ContainsKey(key))
        {
            await call.Services.Documents.PutAsync(new DocumentKey(call.Caller.Tenant, PlanCache.Kind, digest), content, null, call.Cancellation);
            if (Known.Count >= KnownMax)
            {
                Known.Clear();
            }

            Known[key] = true;
        }

        return await call.Services.Policies.PinAsync(call.Caller.Tenant, digest, call.Cancellation);
    }

    private static long LeaseOf(long? leaseMs) => leaseMs ?? LeaseMsDefault;

    private sealed record TracedCommand(IReadOnlyList<TraceOperation> Operations, Dictionary<string, byte[]> Stored);
}
