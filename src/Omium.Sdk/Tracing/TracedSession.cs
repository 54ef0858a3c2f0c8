using System.Security.Cryptography;
using System.Text.Json;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Transport;

namespace Omium.Tracing;

/// <summary>A step that was asked for, and what was answered.</summary>
internal sealed record Step(string Name, string Key, TraceResult Answer)
{
    /// <summary>True when this process does it.</summary>
    public bool Runs => Answer.State is "run" or "verify";
}

/// <summary>
/// One process at work on an execution: what it asks and tells, its leases, and what it undoes. The contract is docs/reference/traced-executions.md. Safe to use from
/// many threads.
/// </summary>
internal sealed class TracedSession(OmiumTransport transport, OmiumOptions options, Compensations compensations, string name) : IAsyncDisposable
{
    private const int WaitMs = 20_000, PauseMsMax = 1_000, PauseMs = 250;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly HashSet<string> _asking = new(StringComparer.Ordinal);
    private readonly HashSet<string> _held = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ended = new();
    private Task _heart = Task.CompletedTask;
    private string? _told;
    private long _waitingSince;
    private bool _beginsAnew;
    private int? _epoch;

    /// <summary>This process, for the log: no other has this name, also not the same program started again.</summary>
    public string Owner { get; } = $"{Environment.MachineName}/{Environment.ProcessId}/{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";

    public string Execution { get; private set; } = "";

    public string Status { get; private set; } = "";

    /// <summary>What it ended with.</summary>
    public JsonElement? Output { get; private set; }

    public JsonSerializerOptions Json => options.Json;

    private long LeaseMs => (long)options.Lease.TotalMilliseconds;

    /// <summary>Starts the execution, or goes on with the one that the id or key means.</summary>
    public async Task StartAsync(RunOptions run, CancellationToken cancellation)
    {
        StepNames.Check(name, "the execution");
        var trace = new TraceRequest(Owner, [], LeaseMs);
        var isId = run.ExecutionId is { } id && StepNames.IsExecution(id);
        var request = isId
            ? new StartExecutionRequest(Mode: "traced", Id: run.ExecutionId, Trace: trace)
            : new StartExecutionRequest(
                Mode: "traced", Name: name, StartKey: run.ExecutionId, Input: run.Input is { } input ? Written(input, "the input") : null, Trace: trace, Recovery: run.Recovery);
        var body = JsonSerializer.SerializeToUtf8Bytes(request, ContractJson.Default.StartExecutionRequest);
        using var answer = JsonDocument.Parse(await transport.SendAsync(HttpMethod.Post, "v1/executions", body, TimeSpan.Zero, cancellation));
        Execution = answer.RootElement.GetProperty("id").GetString()!;
        var begun = answer.RootElement.GetProperty("trace").Deserialize(ContractJson.Default.TraceView)!;
        _epoch = begun.Epoch;
        Take(begun);
    }

    /// <summary>The program has ended; false when what it did has been taken back meanwhile, and it begins anew.</summary>
    public async Task<bool> CompleteAsync(JsonElement? output, TraceFailureRequest? failure, CancellationToken cancellation)
    {
        var operation = new TraceOperationRequest { Do = "complete", Output = output, Failure = failure };
        TraceResult result;
        try
        {
            while ((result = await AskAsync(operation, cancellation)).State == "wait")
            {
                await WaitAsync(result, name, cancellation);
            }
        }
        catch (BeginAnewException)
        {
            return false;
        }

        return true;
    }

    /// <summary>Before the program is run again from its start.</summary>
    public async Task BeginAnewAsync(CancellationToken cancellation)
    {
        lock (_lock)
        {
            _counts.Clear();
            _asking.Clear();
            _held.Clear();
            _beginsAnew = false;
            _epoch = null; // Until it is known what it begins with.
        }

        while (true)
        {
            var answer = await SendAsync([new TraceOperationRequest { Do = "attach" }], 0, cancellation);
            if (answer.Status is not ("paused" or "rolling_back"))
            {
                _epoch = answer.Epoch;
                return;
            }

            if (!await UndoAsync(answer, cancellation))
            {
                await WaitAsync(new TraceResult { State = "wait", Reason = answer.Status, Review = await OpenReviewAsync(cancellation) }, name, cancellation);
            }
        }
    }

    /// <summary>Asks for a step until it may run or is answered; waits while another process or a person has the word.</summary>
    public async Task<Step> BeginAsync(string step, string? key, TraceOperationRequest declared, CancellationToken cancellation)
    {
        StepNames.Check(step, "the step");
        var stepKey = KeyOf(step, key);
        return await BeginAgainAsync(step, stepKey, declared, cancellation);
    }

    /// <summary>Asks again for a step that was asked for.</summary>
    public async Task<Step> BeginAgainAsync(string step, string key, TraceOperationRequest declared, CancellationToken cancellation)
    {
        var runs = false;
        try
        {
            TraceResult result;
            while ((result = await AskAsync(declared with { Do = "begin", Name = step, Key = key }, cancellation)).State is "wait" or "busy" or "retry")
            {
                await WaitAsync(result, step, cancellation);
            }

            var begun = new Step(step, key, result);
            if (runs = begun.Runs)
            {
                Hold(result.Sid!);
            }

            return result is { State: "failed" or "replay", Failure: { } failure } ? throw new StepFailedException(step, failure) : begun;
        }
        finally
        {
            if (!runs)
            {
                Answered(step);
            }
        }
    }

    /// <summary>Records the output of a step that ran.</summary>
    /// <exception cref="StepFailedException">It does not meet its checks.</exception>
    public Task FinishAsync(Step step, JsonElement output, CancellationToken cancellation) =>
        SettleAsync(step, new TraceOperationRequest { Do = "finish", Sid = step.Answer.Sid, Output = output }, isFailure: false, cancellation);

    /// <summary>Records that a step failed. Comes back when the exception is to go on its way.</summary>
    public Task FailAsync(Step step, TraceFailureRequest failure, CancellationToken cancellation) =>
        SettleAsync(step, new TraceOperationRequest { Do = "fail", Sid = step.Answer.Sid, Failure = failure }, isFailure: true, cancellation);

    /// <summary>Tells whether a transaction in doubt happened.</summary>
    public async Task VerifiedAsync(Step step, string status, JsonElement? output, CancellationToken cancellation)
    {
        await AskAsync(new TraceOperationRequest { Do = "verified", Sid = step.Answer.Sid, Status = status, Output = output }, cancellation);
        Release(step);
    }

    /// <summary>Sends a message, or receives one; waits for it.</summary>
    public async Task<JsonElement?> TellAsync(string sender, string? key, TraceOperationRequest operation, CancellationToken cancellation)
    {
        StepNames.Check(sender, "the agent");
        var place = $"{operation.Do}:{sender}";
        var asked = operation with { From = sender, Key = KeyOf(place, key) };
        try
        {
            while (true)
            {
                var result = await AskAsync(asked, cancellation);
                if (result.State is not ("wait" or "busy"))
                {
                    return result.Failure is { } failure ? throw new StepFailedException(sender, failure) : result.Output;
                }

                await WaitAsync(result, sender, cancellation);
            }
        }
        finally
        {
            Answered(place);
        }
    }

    /// <summary>A value as it is recorded.</summary>
    public JsonElement Written<T>(T value, string what)
    {
        try
        {
            return JsonSerializer.SerializeToElement(value, value is null ? typeof(T) : value.GetType(), options.Json);
        }
        catch (Exception wrong) when (wrong is NotSupportedException or JsonException or InvalidOperationException or ArgumentException)
        {
            throw new NotSerializableException($"{what} cannot be recorded as JSON: {wrong.Message}", wrong);
        }
    }

    /// <summary>A recorded value as a type.</summary>
    public T Read<T>(JsonElement? value, string what)
    {
        try
        {
            return value is { } element ? element.Deserialize<T>(options.Json)! : default!;
        }
        catch (Exception wrong) when (wrong is NotSupportedException or JsonException or InvalidOperationException)
        {
            throw new NotSerializableException($"{what} is recorded as something that is no {typeof(T).Name}: {wrong.Message}", wrong);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _heart;
        _ended.Dispose();
    }

    private string KeyOf(string step, string? key)
    {
        lock (_lock)
        {
            if (_beginsAnew)
            {
                throw new BeginAnewException();
            }

            if (key is not null)
            {
                return StepNames.Check(key, $"the key of {step}");
            }

            if (!_asking.Add(step))
            {
                throw new OmiumException(
                    $"'{step}' is called while another call of it is under way, and nothing says which is which when the program is started again: give each call a key", "key_needed");
            }

            return (_counts[step] = _counts.GetValueOrDefault(step) + 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    private async Task SettleAsync(Step step, TraceOperationRequest operation, bool isFailure, CancellationToken cancellation)
    {
        TraceResult result;
        try
        {
            result = await AskAsync(operation, cancellation);
        }
        catch (LeaseLostException)
        {
            throw Anew();
        }
        finally
        {
            Release(step);
        }

        while (result.State == "wait")
        {
            await WaitAsync(result, step.Name, cancellation);
            result = new TraceResult { State = "retry" };
        }

        if (result.State is "retry" or "rolled_back" or "skipped")
        {
            await PauseAsync(result.RetryAfterMs ?? 0, cancellation);
            throw Anew();
        }

        if (result.State == "failed" && !isFailure)
        {
            throw new StepFailedException(step.Name, result.Failure!);
        }
    }

    /// <summary>From here on every step that is asked for answers so: a program that catches the exception does not get further.</summary>
    private BeginAnewException Anew()
    {
        lock (_lock)
        {
            _beginsAnew = true;
        }

        return new BeginAnewException();
    }

    private async Task<TraceResult> AskAsync(TraceOperationRequest operation, CancellationToken cancellation)
    {
        var waitMs = options.WaitForPerson is { } patience ? (int)Math.Min(WaitMs, patience.TotalMilliseconds) : WaitMs;
        var settles = operation.Do is "finish" or "fail" or "verified";
        TraceView answer;
        var hasUndone = false;
        try
        {
            answer = await SendAsync([operation], waitMs, cancellation);
            while (await UndoAsync(answer, cancellation))
            {
                hasUndone = true;
                answer = await SendAsync([operation], waitMs, cancellation);
            }
        }
        catch (LeaseLostException) when (!settles)
        {
            throw Anew(); // Something was taken back between two requests.
        }

        // What the program holds may have been taken back while it was between two steps: from its start, the record tells. That is never wrong, only longer. What
        // settles a step is answered about that step.
        var isTakenBack = hasUndone || answer.Results[0] is { State: "rolled_back" } or { State: "wait", Reason: "paused" or "rolling_back" };
        return isTakenBack && !settles ? throw Anew() : answer.Results[0];
    }

    private async Task<TraceView> SendAsync(IReadOnlyList<TraceOperationRequest> operations, int waitMs, CancellationToken cancellation)
    {
        var answer = await transport.PostAsync(
            $"v1/executions/{Execution}/trace", new TraceRequest(Owner, operations, LeaseMs, waitMs, _epoch), ContractJson.Default.TraceRequest, ContractJson.Default.TraceView,
            cancellation, options.ServerPatience);
        Take(answer);
        return answer;
    }

    private void Take(TraceView answer)
    {
        Status = answer.Status;
        Output = answer.Status == "succeeded" ? answer.Output : Output;
    }

    private async Task WaitAsync(TraceResult result, string step, CancellationToken cancellation)
    {
        if (result is { State: "busy", Owner: { } owner } && Processes.IsGone(owner))
        {
            await SendAsync([new TraceOperationRequest { Do = "lost", Gone = owner }], 0, cancellation);
            return;
        }

        if (result.Review is { } review && review != _told)
        {
            _told = review;
            options.Tell($"{step} waits for a person: review {review} ({transport.BaseUrl}reviews, or 'omium approve {review}')");
        }

        if (result.Reason == "credits" && _told != result.Reason)
        {
            _told = result.Reason;
            options.Tell($"{step} waits for credits: there are none left ({transport.BaseUrl}billing, or 'omium billing top-up'); it goes on when there are");
        }

        if (options.WaitForPerson is not null && result.Reason is "review" or "paused")
        {
            _waitingSince = _waitingSince == 0 ? options.Time.GetTimestamp() : _waitingSince;
            if (options.Time.GetElapsedTime(_waitingSince) >= options.WaitForPerson)
            {
                throw new NeedsPersonException(
                    $"{step} waits for a person: decide it with 'omium approve {result.Review ?? Execution}', then start the program again with {Execution}", result.Review);
            }
        }

        await PauseAsync(Math.Min(result.RetryAfterMs ?? PauseMs, PauseMsMax), cancellation);
    }

    private Task PauseAsync(long waitMs, CancellationToken cancellation) => Task.Delay(TimeSpan.FromMilliseconds(waitMs), options.Time, cancellation);

    private async Task<string?> OpenReviewAsync(CancellationToken cancellation)
    {
        using var view = JsonDocument.Parse(await transport.SendAsync(HttpMethod.Get, $"v1/executions/{Execution}", null, TimeSpan.Zero, cancellation));
        return view.RootElement.TryGetProperty("open_reviews", out var reviews) && reviews.GetArrayLength() > 0 ? reviews[0].GetString() : null;
    }

    /// <summary>Runs the compensation that is due, when this process knows how. True when one ran.</summary>
    private async Task<bool> UndoAsync(TraceView answer, CancellationToken cancellation)
    {
        if (answer.Undo is not { RetryAfterMs: null or 0 } due)
        {
            return false;
        }

        if (compensations.Find(due.Compensate) is not { } compensate)
        {
            if (_told != due.EffectId)
            {
                _told = due.EffectId;
                options.Tell($"{due.Name} is to be undone and this program does not know '{due.Compensate}': register it with Compensations.Add(\"{due.Compensate}\", ...)");
            }

            return false;
        }

        var begun = await SendAsync([new TraceOperationRequest { Do = "undo", EffectId = due.EffectId }], 0, cancellation);
        if (begun.Results[0].State != "run")
        {
            return false;
        }

        TraceFailureRequest? failure = null;
        try
        {
            await compensate(new Undo(due.Name, due.Input, due.Output, due.IdempotencyKey, due.Attempt).With(options.Json), cancellation);
        }
        catch (Exception thrown) when (thrown is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            failure = Failures.Of(thrown) with { Permanent = false }; // Whatever it is, it is told, and tried again later or left to a person.
        }

        await SendAsync([new TraceOperationRequest { Do = "undone", EffectId = due.EffectId, Attempt = due.Attempt, Failure = failure }], 0, cancellation);
        return true;
    }

    private void Hold(string lease)
    {
        lock (_lock)
        {
            _held.Add(lease);
            if (_heart.IsCompleted && !_ended.IsCancellationRequested)
            {
                _heart = Task.Run(BeatAsync);
            }
        }
    }

    private void Release(Step step)
    {
        lock (_lock)
        {
            _held.Remove(step.Answer.Sid ?? "");
            _asking.Remove(step.Name);
        }
    }

    /// <summary>The call of this name is over: the next one may come.</summary>
    private void Answered(string step)
    {
        lock (_lock)
        {
            _asking.Remove(step);
        }
    }

    /// <summary>Renews the leases at a third of their time while there are any.</summary>
    private async Task BeatAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(options.Lease / 3, options.Time, _ended.Token);
                var holds = false;
                lock (_lock)
                {
                    holds = _held.Count > 0;
                }

                if (holds)
                {
                    await RenewAsync();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The session is over.
        }
    }

    private async Task RenewAsync()
    {
        try
        {
            await SendAsync([new TraceOperationRequest { Do = "renew" }], 0, _ended.Token);
        }
        catch (OmiumException)
        {
            // Whoever works hears of it: the lease runs out, and what is told is refused.
        }
    }
}
