using System.Text.Json;

namespace Omium.Contracts.Workers;

/// <summary>Body of <c>POST /v1/workers/poll</c>.</summary>
/// <param name="Queues">Queues to take a task from, in order of preference; 1 to 100.</param>
/// <param name="WaitMs">How long to wait for one, 0 to 60,000; default 20,000.</param>
/// <param name="Worker">Who asks, for the log; default: the key.</param>
public sealed record PollRequest(IReadOnlyList<string> Queues, int? WaitMs = null, string? Worker = null);

/// <summary>A task, leased to the worker that was answered.</summary>
public sealed record TaskView
{
    /// <summary>Id of this lease of it: <c>/v1/tasks/{id}/...</c>.</summary>
    public required string Id { get; init; }

    /// <summary>step: do it and complete with its output. handoff: complete with what you see of each claim; the step itself follows once both sides agree.</summary>
    [Words("step", "handoff")]
    public required string Kind { get; init; }

    /// <summary>Queue.</summary>
    public required string Queue { get; init; }

    /// <summary>Execution.</summary>
    public required string Execution { get; init; }

    /// <summary>Workflow name.</summary>
    public required string Workflow { get; init; }

    /// <summary>The worker's step.</summary>
    public required string Step { get; init; }

    /// <summary>Visit of the step; of a handoff absent, because the step is not scheduled yet.</summary>
    public int? Visit { get; init; }

    /// <summary>Attempt of the step.</summary>
    public int? Attempt { get; init; }

    /// <summary>Kind step: its input.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>Kind step, with an external effect: the key to send along, the same each time this task is leased.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Kind handoff: who hands over.</summary>
    public string? From { get; init; }

    /// <summary>Kind handoff: the message, exactly as delivered.</summary>
    public JsonElement? Message { get; init; }

    /// <summary>Kind handoff: names of the claims to be answered; what the sender states is not told.</summary>
    public IReadOnlyList<string>? Claims { get; init; }

    /// <summary>A heartbeat must come within this time of the lease and of each other, milliseconds.</summary>
    public required long LeaseMs { get; init; }

    /// <summary>When the task must be complete, heartbeats or not; of a handoff absent.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>Answer to a heartbeat.</summary>
/// <param name="LeaseMs">The next heartbeat must come within this time, milliseconds.</param>
public sealed record HeartbeatView(long LeaseMs);

/// <summary>Body of <c>POST /v1/tasks/{id}/complete</c>.</summary>
/// <param name="Output">The step's output; of a handoff an object with what was seen of each claim.</param>
public sealed record CompleteTaskRequest(JsonElement? Output = null);

/// <summary>Body of <c>POST /v1/tasks/{id}/fail</c>.</summary>
/// <param name="Message">What went wrong, for people.</param>
/// <param name="Class">Failure class; default tool_error.</param>
/// <param name="Permanent">True: another attempt cannot help.</param>
/// <param name="MayHaveHappened">Whether the effect may have happened all the same; default true for a step with an external effect.</param>
public sealed record FailTaskRequest(string Message, string? Class = null, bool? Permanent = null, bool? MayHaveHappened = null);
