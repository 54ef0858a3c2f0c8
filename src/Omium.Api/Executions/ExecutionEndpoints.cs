using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Omium.Api.Http;
using Omium.Api.Workflows;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary><c>POST</c> and <c>GET /v1/executions</c>, <c>GET /v1/executions/{id}</c>.</summary>
internal static class ExecutionEndpoints
{
    public static void Map(ApiRoutes routes)
    {
        routes.Map("POST", "/v1/executions", StartAsync).As("start_execution", "Starts an execution.")
            .Reads(RequestJson.Default.StartExecutionRequest, bytesMax: options => options.InputBytesMax)
            .Header("Prefer", "`wait=N`: answers when it has ended or paused, after N seconds at the latest.")
            .Answers(ContractJson.Default.ExecutionView, 201, "Started.").Answers(ContractJson.Default.ExecutionView, 202, "It goes on; the time to wait is over.")
            .Answers(ContractJson.Default.ExecutionView, 200, "Started before, with this key.").IdempotentByItself().Refuses("CREDITS_EXHAUSTED", "key_cap_reached", "workflow_not_found", "execution_not_found", "input_invalid", "task_not_found");
        routes.Map("GET", "/v1/executions", ListAsync).As("list_executions", "Executions, newest first.").Query("workflow", "Only of this workflow.")
            .Query("status", "Only of this status.", ExecutionWords.Statuses).Query("failure_class", "Only with this failure class.")
            .QueryTime("from", "Started at this time or later.").QueryTime("to", "Started before this time.").Query("q", "All of these words: in the workflow's name, or in a failure's step, class, code or message. Or the start key, or (most of) an id.").Paged()
            .Answers(ContractJson.Default.ExecutionPage).Refuses("search_unavailable");
        routes.Map("GET", "/v1/executions/{id}", GetAsync).As("get_execution", "The execution as it is now.")
            .Answers(ContractJson.Default.ExecutionView);
    }

    /// <summary>The execution as it is now, with large values in place.</summary>
    public static async Task AnswerAsync(ApiCall call, ExecutionCell cell, int status = StatusCodes.Status200OK)
    {
        var seq = cell.Seq; // Before the state: the view then holds at least what the number says.
        var state = cell.State;
        var payloads = await AnswerPayloads.LoadAsync(call.Services, cell, state, call.Cancellation);
        var aside = call.Services.Engine.FindSetAside(cell.Stream)?.Reason;
        await call.JsonAsync(ExecutionViews.View(state, seq, cell.Plan!, payloads) with { SetAside = aside }, ContractJson.Default.ExecutionView, status);
    }

    private static async Task GetAsync(ApiCall call)
    {
        var stream = new StreamId(call.Caller.Tenant, call.Route("id"));
        if (call.Services.Ended.Find(stream) is { } kept && call.Services.Engine.FindSetAside(stream) is null)
        {
            await call.JsonBytesAsync(kept);
            return;
        }

        if (await call.TryExecutionAsync() is not { } cell)
        {
            return;
        }

        var (seq, state) = (cell.Seq, cell.State);
        if (!state.Ended || call.Services.Engine.FindSetAside(stream) is not null)
        {
            await AnswerAsync(call, cell);
            return;
        }

        var payloads = await AnswerPayloads.LoadAsync(call.Services, cell, state, call.Cancellation);
        var answer = ApiCall.Serialize(ExecutionViews.View(state, seq, cell.Plan!, payloads), ContractJson.Default.ExecutionView);
        await call.Services.Ended.KeepAsync(stream, seq, answer, call.Cancellation);
        await call.JsonBytesAsync(answer);
    }

    private static async Task ListAsync(ApiCall call)
    {
        if (await call.TryIntegerAsync("limit", 50, 1, 200) is not { } limit
            || !await call.TryWordAsync("status", ExecutionWords.Statuses) || await call.TryTimeAsync("from") is not { } from || await call.TryTimeAsync("to") is not { } to)
        {
            return;
        }

        var filter = new IndexQuery(call.Caller.Tenant, IndexKinds.Execution)
        {
            Workflow = call.Query("workflow"),
            Status = call.Query("status"),
            FailureClass = call.Query("failure_class"),
            FromUnixMs = from.UnixMs,
            ToUnixMs = to.UnixMs,
            Limit = (int)limit,
            Cursor = call.Query("cursor"),
        };
        if (await SearchQuery.TryAsync(call, filter) is not { } query)
        {
            return;
        }

        var page = await call.Services.Index.QueryAsync(query, call.Cancellation);
        await call.JsonAsync(new Page<ExecutionSummary>([.. page.Rows.Select(ExecutionViews.Summary)], page.NextCursor), ContractJson.Default.ExecutionPage);
    }

    private static async Task StartAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.StartExecutionRequest) is not { } request)
        {
            return;
        }

        if (request.Mode is not null || request.Workflow is not { Length: > 0 } name)
        {
            await (request.Mode == "traced" ? Traced.TracedEndpoints.StartAsync(call, request)
                : request.Mode is null ? call.InvalidAsync("", "A required member is missing: 'workflow'.") : call.InvalidAsync("/mode", "A mode is traced, or absent."));
            return;
        }

        if (await call.Services.Workflows.FindAsync(call.Caller.Tenant, name, request.Version, call.Cancellation) is not { } workflow)
        {
            await WorkflowEndpoints.NotFoundAsync(call, name);
            return;
        }

        if (await call.TryInternAsync(request.Input ?? JsonMake.EmptyObject, "/input") is not { } input)
        {
            return;
        }

        if (await StartKeys.TryClaimAsync(call, request.StartKey, $"{request.Workflow}\n{request.Version}\n{CanonicalJson.Digest(input.Value)}") is not { } claim)
        {
            return;
        }

        var stream = new StreamId(call.Caller.Tenant, claim.Execution);
        var pinned = await call.Services.Policies.PinAsync(call.Caller.Tenant, workflow.Digest, call.Cancellation);
        var command = new StartExecution(
            call.Services.Advancer.NowMs, claim.Execution, call.Caller.Tenant, workflow.Name, workflow.Version, pinned, input.Value,
            RandomNumberGenerator.GetInt32(int.MaxValue), call.Caller.KeyId, call.Services.Options.HighValueUsd);
        if (claim.IsKnown && await call.Services.Advancer.FindAsync(stream, call.Cancellation) is { } known)
        {
            await AnswerAsync(call, known);
            return;
        }

        if (call.Services.Credits.Executions is { } credits)
        {
            // Under a start key the same reservation may be another request's, who begins by it: one that is refused puts nothing aside.
            var plan = await call.Services.Plans.GetAsync(call.Caller.Tenant, pinned, call.Cancellation);
            if (request.StartKey is not null && RefusalOf(command, plan, input.Stored) is { } invalid)
            {
                await RejectAsync(call, invalid);
                return;
            }

            var (lease, refused) = await credits.LeaseAsync(stream, call.Caller.KeyId, call.Caller.SpendCapCredits, plan);
            if (refused is not null)
            {
                await call.RejectedAsync(refused);
                return;
            }

            command = command with { Lease = lease };
        }

        await RunAsync(call, stream, command, input.Stored);
    }

    /// <summary>Why a first record would be refused; null when it would not.</summary>
    internal static Rejection? RefusalOf(StartExecution command, WorkflowPlan plan, Dictionary<string, byte[]>? stored)
    {
        JsonElement? Read(string digest) => stored?.GetValueOrDefault(digest) is { } bytes ? CanonicalJson.ParseTrusted(bytes) : null;
        var values = new DecisionValues(plan);
        foreach (var digest in ExecutionKernel.Needs(ExecutionState.Empty, command, plan))
        {
            if (Read(digest) is { } payload)
            {
                values.TryGive(digest, payload);
            }
        }

        return ExecutionKernel.Decide(ExecutionState.Empty, command, values, Read).Rejection;
    }

    /// <summary>Begins an execution and answers it, waiting as long as the client prefers.</summary>
    public static async Task RunAsync(ApiCall call, StreamId stream, ExecutionCommand command, Dictionary<string, byte[]>? stored)
    {
        var wait = WaitOf(call);
        using var listener = wait is null ? null : call.Services.Feed.Listen(stream);
        var started = await call.Services.Engine.SubmitAsync(stream, command, stored, call.Cancellation);
        if (!started.Changed && command is StartExecution { Lease: { } lease })
        {
            await call.Services.Credits.Executions!.AbandonAsync(stream, lease, started.Cell.State); // Refused, or begun before by another request.
        }

        if (started.Rejection is { } rejection)
        {
            await RejectAsync(call, rejection);
            return;
        }

        call.Context.Response.Headers.Location = $"/v1/executions/{stream.Id}";
        if (wait is not { } time || listener is null)
        {
            await call.JsonAsync(
                ExecutionViews.View(started.Cell.State, started.Cell.Seq, started.Cell.Plan!, AnswerPayloads.None), ContractJson.Default.ExecutionView, StatusCodes.Status201Created);
            return;
        }

        call.Context.Response.Headers["Preference-Applied"] = call.Request.Headers["Prefer"];
        var (cell, isSettled) = await ExecutionWait.UntilSettledAsync(listener, started.Cell, time, call.Services, call.Cancellation);
        await AnswerAsync(call, cell, isSettled ? StatusCodes.Status201Created : StatusCodes.Status202Accepted);
    }

    /// <summary>The kernel names every place of an input that does not fit in one message; here each becomes a finding of its own.</summary>
    private static Task RejectAsync(ApiCall call, Rejection rejection)
    {
        if (rejection.Code != "input_invalid")
        {
            return call.RejectedAsync(rejection);
        }

        var problems = rejection.Message.Split("; ").Select(text =>
        {
            var cut = text.IndexOf(": ", StringComparison.Ordinal);
            var place = cut < 0 || !text.StartsWith('/') ? "" : text[..cut];
            return new Contracts.Workflows.SpecProblem("input_invalid", "error", "/input" + place, ApiCall.Sentence(cut < 0 ? text : text[(cut + 2)..]), "Send a value that fits the workflow's input schema.");
        });
        return call.ProblemAsync(rejection.Code, ApiCall.Sentence(rejection.Message), [.. problems]);
    }

    /// <summary><c>Prefer: wait=N</c> (RFC 7240), seconds, at most the configured maximum; null when the client does not wait.</summary>
    private static TimeSpan? WaitOf(ApiCall call)
    {
        foreach (var preference in call.Request.Headers["Prefer"].SelectMany(value => (value ?? "").Split([',', ';'])))
        {
            var trimmed = preference.Trim();
            if (trimmed.StartsWith("wait=", StringComparison.OrdinalIgnoreCase)
                && int.TryParse(trimmed.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > 0)
            {
                return TimeSpan.FromSeconds(Math.Min(seconds, call.Services.Options.WaitMax.TotalSeconds));
            }
        }

        return null;
    }
}
