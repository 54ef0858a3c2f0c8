using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Omium.Api.Executions;
using Omium.Api.Http;
using Omium.Contracts;
using Omium.Contracts.Workers;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Workers;

namespace Omium.Api.Workers;

/// <summary><c>POST /v1/workers/poll</c> and <c>/v1/tasks/{id}/heartbeat · complete · fail</c>: code that runs elsewhere asks for work.</summary>
internal static class WorkerEndpoints
{
    private const int WaitMsDefault = 20_000, WaitMsMax = 60_000, QueuesMax = 100, WorkerNameMax = 100, MessageMax = 10_000;

    public static void Map(ApiRoutes routes)
    {
        routes.Map("POST", "/v1/workers/poll", PollAsync).As("poll_tasks", "Takes a task, waiting for one.").ReadsLittle(RequestJson.Default.PollRequest)
            .Answers(ContractJson.Default.TaskView).Answers(204, null, "None came in time.");
        routes.Map("POST", "/v1/tasks/{id}/heartbeat", HeartbeatAsync).As("heartbeat_task", "Keeps the lease of a task.")
            .Answers(ContractJson.Default.HeartbeatView).Refuses("task_not_found", "task_fenced");
        routes.Map("POST", "/v1/tasks/{id}/complete", CompleteAsync).As("complete_task", "Settles a task with its output; a second time changes nothing.")
            .Reads(RequestJson.Default.CompleteTaskRequest, isOptional: true).Answers(204, null, "Recorded.").Refuses("task_not_found", "task_fenced");
        routes.Map("POST", "/v1/tasks/{id}/fail", FailAsync).As("fail_task", "Settles a task with a failure.")
            .ReadsLittle(RequestJson.Default.FailTaskRequest).Answers(204, null, "Recorded.").Refuses("task_not_found", "task_fenced");
    }

    /// <summary>200 with a task, or 204 when none came in time. It waits for a change of the board, never in a loop of time.</summary>
    private static async Task PollAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.PollRequest) is not { } request || !await IsFitAsync(call, request))
        {
            return;
        }

        var (board, time) = (call.Services.Tasks, call.Services.Time);
        var worker = request.Worker ?? call.Caller.KeyId;
        using var over = new CancellationTokenSource(TimeSpan.FromMilliseconds(request.WaitMs ?? WaitMsDefault), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, call.Cancellation);
        while (true)
        {
            var changed = board.Changed;
            if (board.Shared is { } shared)
            {
                await shared.LookAsync(call.Caller.Tenant, request.Queues, board, call.Cancellation);
            }

            while (board.TryTake(call.Caller.Tenant, request.Queues) is { } offer)
            {
                if (await TryLeaseAsync(call, offer, worker) is { } task)
                {
                    await call.JsonAsync(task, ContractJson.Default.TaskView);
                    return;
                }
            }

            await WaitAsync(changed, board.Shared?.LookEvery, time, either.Token);
            if (call.Cancellation.IsCancellationRequested)
            {
                return;
            }

            if (over.IsCancellationRequested)
            {
                call.Context.Response.StatusCode = StatusCodes.Status204NoContent;
                return;
            }
        }
    }

    /// <summary>Until the board has changed, or it is time to see what other hosts announced.</summary>
    private static async Task WaitAsync(Task changed, TimeSpan? lookEvery, TimeProvider time, CancellationToken over) =>
        await (lookEvery is { } every ? changed.WaitAsync(every, time, over) : changed.WaitAsync(over)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static async ValueTask<bool> IsFitAsync(ApiCall call, PollRequest request)
    {
        if (request.Queues.Count is 0 or > QueuesMax)
        {
            await call.InvalidAsync("/queues", $"Name 1 to {QueuesMax} queues.");
        }
        else if (request.WaitMs is < 0 or > WaitMsMax)
        {
            await call.InvalidAsync("/wait_ms", $"'wait_ms' is from 0 to {WaitMsMax}.");
        }
        else if (request.Worker is { Length: 0 or > WorkerNameMax })
        {
            await call.InvalidAsync("/worker", $"The name of a worker has 1 to {WorkerNameMax} characters.");
        }
        else
        {
            return true;
        }

        return false;
    }

    /// <summary>Null: it must not begin now. An execution that was set aside or cannot be read takes none of those with it that share its queue.</summary>
    private static async Task<TaskView?> TryLeaseAsync(ApiCall call, TaskOffer offer, string worker)
    {
        try
        {
            if (call.Services.Engine.FindSetAside(offer.Stream) is null)
            {
                return await LeaseAsync(call.Services, offer, worker);
            }
        }
        catch (Exception error) when (error is ExecutionSetAsideException or CorruptLogException or CryptographicException or InvalidDataException or JsonException)
        {
            // As one that was set aside before.
        }

        call.Services.Tasks.PutBack(offer);
        call.Services.Tasks.Withdraw(offer.Stream);
        return null;
    }

    /// <summary>The lease of a step is its intent, durable before the worker knows of it; that of an acknowledgement is held in memory alone.</summary>
    private static async Task<TaskView?> LeaseAsync(ApiServices services, TaskOffer offer, string worker)
    {
        if (offer.IsHandoff)
        {
            return await TryHoldAsync(services, offer) && await services.Advancer.FindAsync(offer.Stream) is { } found ? await HandoffAsync(services, found, offer) : null;
        }

        return await TaskLeasing.LeaseAsync(services.Engine, services.Advancer, services.Tasks, offer, worker) is { } leased ? await StepAsync(services, leased, offer) : null;
    }

    /// <summary>False while another host has given it out; nor does this one until then.</summary>
    private static async ValueTask<bool> TryHoldAsync(ApiServices services, TaskOffer offer)
    {
        try
        {
            var elsewhere = services.Tasks.Shared is { } shared ? await shared.HoldAsync(offer.Stream, offer.Effect, services.Tasks.Lease, CancellationToken.None) : null;
            services.Tasks.Hold(offer, elsewhere);
            return elsewhere is null;
        }
        catch (StorageException)
        {
            services.Tasks.PutBack(offer);
            throw;
        }
    }

    private static async Task<TaskView> StepAsync(ApiServices services, TaskLease task, TaskOffer offer)
    {
        var (cell, id, leased) = task;
        return new TaskView
        {
            Id = new TaskName(cell.State.ExecutionId, offer.Effect, leased.Runs).ToString(),
            Kind = "step",
            Queue = offer.Queue,
            Execution = cell.State.ExecutionId,
            Workflow = cell.State.Workflow,
            Step = id.Step,
            Visit = id.Visit,
            Attempt = id.Attempt,
            Input = await services.Advancer.MaterializeAsync(cell, leased.Arguments),
            IdempotencyKey = leased.Key,
            LeaseMs = (long)services.Tasks.Lease.TotalMilliseconds,
            ExpiresAt = ExecutionViews.Time(leased.InDoubtAtMs),
        };
    }

    private static async Task<TaskView?> HandoffAsync(ApiServices services, ExecutionCell cell, TaskOffer offer)
    {
        _ = EffectId.TryParse(offer.Effect, out var id);
        var handoff = cell.State.Handoffs[new HandoffKey(id.Number - 1, id.Key)];
        return new TaskView
        {
            Id = new TaskName(cell.State.ExecutionId, offer.Effect, 0).ToString(),
            Kind = "handoff",
            Queue = offer.Queue,
            Execution = cell.State.ExecutionId,
            Workflow = cell.State.Workflow,
            Step = handoff.Proposal.To,
            From = handoff.Proposal.Step,
            Message = await services.Advancer.MaterializeAsync(cell, handoff.Proposal.Message),
            Claims = [.. handoff.Claims.Where(claim => claim.Claim.By == "receiver").Select(claim => claim.Claim.Name)],
            LeaseMs = (long)services.Tasks.Lease.TotalMilliseconds,
        };
    }

    private static async Task HeartbeatAsync(ApiCall call)
    {
        if (await TryTaskAsync(call) is not { } task)
        {
            return;
        }

        var isLeased = task.Call is null or { Status: CallStatus.Intent } && (task.Call is null || task.Call.Runs == task.Name.Run) && !task.Cell.State.Ended;
        if (isLeased && await TryExtendAsync(call, task))
        {
            await call.JsonAsync(new HeartbeatView((long)call.Services.Tasks.Lease.TotalMilliseconds), ContractJson.Default.HeartbeatView);
            return;
        }

        await call.ProblemAsync("task_fenced", "The lease is over, or what asked for this task was taken back: stop working on it.");
    }

    private static async ValueTask<bool> TryExtendAsync(ApiCall call, LeasedTask task)
    {
        var (board, stream, name) = (call.Services.Tasks, task.Cell.Stream, task.Name);
        if (board.Shared is not { } shared)
        {
            return board.Extend(stream, name.Effect, name.Run);
        }

        if (task.Call is null)
        {
            return await shared.TryExtendHoldAsync(stream, name.Effect, board.Lease, call.Cancellation);
        }

        await shared.ExtendAsync(stream, name.Effect, name.Run, board.Lease, call.Cancellation);
        return true;
    }

    private static async Task CompleteAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.CompleteTaskRequest, new CompleteTaskRequest()) is not { } request || await TryTaskAsync(call) is not { } task)
        {
            return;
        }

        if (await call.TryInternAsync(request.Output ?? JsonMake.Null, "/output") is not { } output)
        {
            return;
        }

        var (value, stored) = output;
        if (task.Call is null)
        {
            if (await call.TryComparedAsync(value, "/output"))
            {
                await AcknowledgeAsync(call, task, value, null);
            }

            return;
        }

        await SubmitAsync(call, task, new SettleTask(call.Services.Advancer.NowMs, task.Name.Effect, task.Name.Run, new EffectOutcome { Result = value }), stored);
    }

    private static async Task FailAsync(ApiCall call)
    {
        if (await call.TryReadAsync(RequestJson.Default.FailTaskRequest) is not { } request || await TryTaskAsync(call) is not { } task)
        {
            return;
        }

        if (request.Message.Length is 0 or > MessageMax)
        {
            await call.InvalidAsync("/message", $"A message has 1 to {MessageMax} characters.");
            return;
        }

        if (request.Class is { } named && !FailureClasses.Groups.ContainsKey(named))
        {
            await call.InvalidAsync("/class", $"'{ApiCall.Shorten(named)}' is no failure class.");
            return;
        }

        var mayHaveHappened = request.MayHaveHappened ?? (task.Call is { Kind: not EffectKind.None });
        var failure = new EffectFailure(request.Class ?? FailureClasses.ToolError, "worker_failed", request.Message, mayHaveHappened, null, request.Permanent ?? false);
        if (task.Call is null)
        {
            await AcknowledgeAsync(call, task, null, failure);
            return;
        }

        await SubmitAsync(call, task, new SettleTask(call.Services.Advancer.NowMs, task.Name.Effect, task.Name.Run, new EffectOutcome { Failure = failure }), null);
    }

    private static async Task AcknowledgeAsync(ApiCall call, LeasedTask task, JsonElement? seen, EffectFailure? failure)
    {
        var command = new AcknowledgeHandoff(call.Services.Advancer.NowMs, task.Name.Effect, call.Caller.KeyId, seen is { ValueKind: JsonValueKind.Null } ? null : seen, failure);
        if (await SubmitAsync(call, task, command, null))
        {
            call.Services.Tasks.Release(task.Cell.Stream, task.Name.Effect);
        }
    }

    private static async ValueTask<bool> SubmitAsync(ApiCall call, LeasedTask task, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? stored)
    {
        var result = await call.Services.Engine.SubmitAsync(task.Cell.Stream, command, stored);
        if (result.Rejection is { } rejection)
        {
            await call.RejectedAsync(rejection);
            return false;
        }

        if (call.Services.Tasks.Shared is { } shared)
        {
            await shared.EndAsync(task.Cell.Stream, task.Name.Effect, task.Name.Run, call.Cancellation);
        }

        call.Context.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }

    private static async ValueTask<LeasedTask?> TryTaskAsync(ApiCall call)
    {
        if (TaskName.Parse(call.Route("id")) is { } name && ExecutionIds.IsWellFormed(name.Execution) && EffectId.TryParse(name.Effect, out var id)
            && await call.Services.Advancer.FindAsync(new StreamId(call.Caller.Tenant, name.Execution), call.Cancellation) is { } cell)
        {
            var known = id.Part == 'c' ? cell.State.Visits.GetValueOrDefault(id.Key)?.Calls.Find(one => one is { IsTask: true } && one.Id == id) : null;
            if (known is not null || (id.Part == 'h' && cell.State.Handoffs.ContainsKey(new HandoffKey(id.Number - 1, id.Key))))
            {
                return new LeasedTask(cell, name, known);
            }
        }

        await call.ProblemAsync("task_not_found", $"There is no task {ApiCall.Shorten(call.Route("id"))}.");
        return null;
    }

    /// <summary>A task as its worker names it; <paramref name="Call"/> is null for an acknowledgement.</summary>
    private sealed record LeasedTask(ExecutionCell Cell, TaskName Name, CallState? Call);
}
