using System.Text.Json;
using Omium.Contracts;
using Omium.Contracts.Workers;
using Omium.Tracing;
using Omium.Transport;

namespace Omium;

/// <summary>A task as it was leased to a worker.</summary>
public sealed class WorkerTask
{
    private readonly JsonSerializerOptions _json;

    internal WorkerTask(TaskView view, JsonSerializerOptions json) => (View, _json) = (view, json);

    /// <summary>As the server told it.</summary>
    public TaskView View { get; }

    /// <summary>The key to send along, the same each time this task is leased; null for a step without an external effect.</summary>
    public string? IdempotencyKey => View.IdempotencyKey;

    /// <summary>The input as a type.</summary>
    public T InputAs<T>() => Read<T>(View.Input);

    /// <summary>Of a handoff: the message, as a type.</summary>
    public T MessageAs<T>() => Read<T>(View.Message);

    private T Read<T>(JsonElement? value)
    {
        try
        {
            return value is { } element ? element.Deserialize<T>(_json)! : default!;
        }
        catch (Exception wrong) when (wrong is JsonException or NotSupportedException)
        {
            throw new TaskFailedException($"the input of {View.Step} is no {typeof(T).Name}: {wrong.Message}", "schema_violation") { Permanent = true, MayHaveHappened = false };
        }
    }
}

/// <summary>Thrown by a task: it failed, with a class, and whether trying again can help.</summary>
public sealed class TaskFailedException(string message, string failureClass = "tool_error", Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Failure class.</summary>
    public string FailureClass { get; } = failureClass;

    /// <summary>True: another attempt cannot help.</summary>
    public bool Permanent { get; init; }

    /// <summary>Whether its effect may have happened all the same; null = yes for a step with an external effect.</summary>
    public bool? MayHaveHappened { get; init; }
}

/// <summary>
/// Does the <c>worker</c> steps of workflows (docs/reference/workers.md): polls, sends heartbeats while a task runs, and tells what came of it. What a task throws fails it.
/// </summary>
public sealed class OmiumWorker
{
    private const int PollWaitMs = 20_000;
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(5);
    private readonly OmiumClient _client;
    private readonly Dictionary<string, Func<WorkerTask, CancellationToken, Task<object?>>> _tasks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<WorkerTask, CancellationToken, Task<object?>>> _handoffs = new(StringComparer.Ordinal);

    /// <summary>A worker.</summary>
    public OmiumWorker(OmiumClient client) => _client = client;

    /// <summary>Tasks at a time; default 4.</summary>
    public int Concurrency { get; init; } = 4;

    /// <summary>Who it is, for the log; default machine and process.</summary>
    public string Name { get; init; } = $"{Environment.MachineName}/{Environment.ProcessId}";

    /// <summary>Does the tasks of a queue. The token is cancelled when the lease is lost: stop then, what is told no longer counts.</summary>
    public OmiumWorker Task(string queue, Func<WorkerTask, CancellationToken, Task<object?>> work)
    {
        _tasks.Add(queue, work);
        return this;
    }

    /// <summary>Does the tasks of a queue, with the input as a type.</summary>
    public OmiumWorker Task<TInput, TOutput>(string queue, Func<TInput, CancellationToken, Task<TOutput>> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        return Task(queue, async (task, token) => await work(task.InputAs<TInput>(), token));
    }

    /// <summary>Says what is seen of each claim of a handoff: an object with a member for each of <c>task.View.Claims</c>.</summary>
    public OmiumWorker Acknowledges(string queue, Func<WorkerTask, CancellationToken, Task<object?>> measure)
    {
        _handoffs.Add(queue, measure);
        return this;
    }

    /// <summary>Works until it is cancelled; then takes no further task, and returns when those under way are done.</summary>
    /// <exception cref="NotAllowedException">The key is not accepted.</exception>
    /// <exception cref="OmiumException">It has no tasks.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        if (_tasks.Count == 0)
        {
            throw new OmiumException("this worker has no task: give it some with Task(queue, ...)", "no_tasks");
        }

        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await System.Threading.Tasks.Task.WhenAll(Enumerable.Range(0, Concurrency).Select(async _ =>
        {
            try
            {
                await WorkAsync(stopping.Token);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // Asked to stop.
            }
            catch
            {
                await stopping.CancelAsync(); // One that may not go on ends the others.
                throw;
            }
        }));
    }

    /// <summary>Takes one task and does it; false when there was none.</summary>
    public async Task<bool> RunOnceAsync(TimeSpan wait = default, CancellationToken cancellation = default)
    {
        if (await PollAsync((int)wait.TotalMilliseconds, cancellation) is not { } task)
        {
            return false;
        }

        await DoAsync(task);
        return true;
    }

    private async Task WorkAsync(CancellationToken stopping)
    {
        var wait = TimeSpan.FromMilliseconds(100);
        while (true)
        {
            try
            {
                if (await PollAsync(PollWaitMs, stopping) is { } task)
                {
                    await DoAsync(task); // A task that was taken is finished: a stop is no crash.
                }

                wait = TimeSpan.FromMilliseconds(100);
            }
            catch (OmiumException refused) when (refused is not (NotAllowedException or CreditsExhaustedException))
            {
                _client.Options.Tell($"{refused.Message}; trying again");
                await System.Threading.Tasks.Task.Delay(wait, _client.Options.Time, stopping);
                wait = wait * 2 < RetryMax ? wait * 2 : RetryMax;
            }
        }
    }

    private async Task<WorkerTask?> PollAsync(int waitMs, CancellationToken cancellation)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new PollRequest([.. _tasks.Keys], waitMs, Name), ContractJson.Default.PollRequest);
        var answer = await _client.Transport.SendAsync(HttpMethod.Post, "v1/workers/poll", body, TimeSpan.Zero, cancellation);
        return answer.Length == 0 ? null : new WorkerTask(JsonSerializer.Deserialize(answer, ContractJson.Default.TaskView)!, _client.Options.Json);
    }

    private async Task DoAsync(WorkerTask task)
    {
        using var lost = new CancellationTokenSource();
        using var done = new CancellationTokenSource();
        var heart = BeatAsync(task, lost, done.Token);
        var (word, body) = await OutcomeAsync(task, lost.Token);
        await done.CancelAsync();
        await heart;
        try
        {
            await _client.Transport.SendAsync(
                HttpMethod.Post, $"v1/tasks/{Uri.EscapeDataString(task.View.Id)}/{word}", body, TimeSpan.FromMilliseconds(task.View.LeaseMs), CancellationToken.None);
        }
        catch (LeaseLostException over)
        {
            _client.Options.Tell($"task {task.View.Step} of {task.View.Execution}: {over.Message}");
        }
    }

    private async Task<(string Word, byte[] Body)> OutcomeAsync(WorkerTask task, CancellationToken lost)
    {
        try
        {
            var function = (task.View.Kind == "handoff" ? _handoffs : _tasks).GetValueOrDefault(task.View.Queue)
                ?? throw new TaskFailedException($"queue '{task.View.Queue}' is handed something over and nothing here measures it: give the worker Acknowledges(\"{task.View.Queue}\", ...)") { Permanent = true };
            var output = await function(task, lost);
            return ("complete", JsonSerializer.SerializeToUtf8Bytes(new CompleteTaskRequest(Written(output, task)), ContractJson.Default.CompleteTaskRequest));
        }
        catch (TaskFailedException failed)
        {
            return Failed(new FailTaskRequest(failed.Message, failed.FailureClass, failed.Permanent, failed.MayHaveHappened));
        }
        catch (NotSerializableException failed)
        {
            return Failed(new FailTaskRequest(failed.Message, "tool_error", Permanent: true));
        }
        catch (Exception thrown)
        {
            var failure = Failures.Of(thrown);
            return Failed(new FailTaskRequest($"{thrown.GetType().Name}: {failure.Message}", failure.Class, MayHaveHappened: failure.MayHaveHappened));
        }
    }

    private JsonElement Written(object? output, WorkerTask task)
    {
        try
        {
            return JsonSerializer.SerializeToElement(output, output?.GetType() ?? typeof(object), _client.Options.Json);
        }
        catch (Exception wrong) when (wrong is NotSupportedException or JsonException or InvalidOperationException or ArgumentException)
        {
            throw new NotSerializableException($"the result of {task.View.Step} cannot be recorded as JSON: {wrong.Message}", wrong);
        }
    }

    private static (string Word, byte[] Body) Failed(FailTaskRequest request) => ("fail", JsonSerializer.SerializeToUtf8Bytes(request, ContractJson.Default.FailTaskRequest));

    private async Task BeatAsync(WorkerTask task, CancellationTokenSource lost, CancellationToken done)
    {
        try
        {
            while (true)
            {
                await System.Threading.Tasks.Task.Delay(TimeSpan.FromMilliseconds(task.View.LeaseMs / 3.0), _client.Options.Time, done);
                try
                {
                    await _client.Transport.SendAsync(HttpMethod.Post, $"v1/tasks/{Uri.EscapeDataString(task.View.Id)}/heartbeat", "{}"u8.ToArray(), TimeSpan.Zero, done);
                }
                catch (LeaseLostException)
                {
                    await lost.CancelAsync();
                    return;
                }
                catch (OmiumException)
                {
                    // The next one may get through; if none does, the lease runs out, which the answer says.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The task is done.
        }
    }
}
