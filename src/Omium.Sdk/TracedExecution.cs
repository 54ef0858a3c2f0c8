using System.Text.Json;
using Omium.Contracts.Executions;
using Omium.Tracing;

namespace Omium;

/// <summary>
/// A traced execution that this process works on: its finished steps are recorded, and answer from the record when the program is started again with the same execution
/// id. Ask for the same steps in the same way each time; read clocks, random numbers and the outside world within checkpoints.
/// </summary>
public sealed class TracedExecution
{
    private readonly TracedSession _session;

    internal TracedExecution(TracedSession session, string? agent = null) => (_session, Agent) = (session, agent);

    /// <summary>Its id.</summary>
    public string Id => _session.Execution;

    /// <summary>Its status, as last told.</summary>
    public string Status => _session.Status;

    /// <summary>In whose name steps are done here; null = nobody's.</summary>
    public string? Agent { get; }

    /// <summary>What the agents of this execution tell each other.</summary>
    public Consensus Consensus => new(_session, Agent);

    /// <summary>The same execution, in the name of an agent.</summary>
    public TracedExecution As(string agent) => new(_session, StepNames.Check(agent, "the agent"));

    /// <summary>What one agent hands to another.</summary>
    public Handoff Handoff(string sender, string? to = null) => new(_session, sender, to, Agent);

    /// <summary>
    /// Does something once: from then on its recorded result answers. It is done <em>at least</em> once until it is recorded, so keep what changes the world in
    /// <see cref="TransactionAsync{T}"/>.
    /// </summary>
    /// <exception cref="StepFailedException">Its output does not meet its checks, or it had failed when it was recorded.</exception>
    /// <exception cref="ReplayMismatchException">It was recorded with another input.</exception>
    /// <exception cref="NotSerializableException">Its result is no JSON.</exception>
    public async Task<T> CheckpointAsync<T>(string name, Func<CancellationToken, Task<T>> work, StepOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        var step = await _session.BeginAsync(name, options?.Key, Declared(options, null), cancellation);
        return step.Runs ? await DoAsync(step, work, cancellation) : _session.Read<T>(step.Answer.Output, name);
    }

    /// <summary>Does something that gives nothing, once.</summary>
    public Task CheckpointAsync(string name, Func<CancellationToken, Task> work, StepOptions? options = null, CancellationToken cancellation = default) =>
        CheckpointAsync<object?>(name, async token => { await work(token); return null; }, options, cancellation);

    /// <summary>
    /// Does something that changes the world outside. Its intent is on record before it runs; what follows when nobody knows whether it happened is what
    /// <see cref="TransactionOptions{T}.Effect"/> says. Throw <see cref="NotDoneException"/> when it certainly did not happen.
    /// </summary>
    /// <exception cref="StepFailedException">As for a checkpoint; also when a person did not approve it.</exception>
    public async Task<T> TransactionAsync<T>(
        string name, Func<TransactionContext, CancellationToken, Task<T>> work, TransactionOptions<T>? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        var chosen = options ?? new TransactionOptions<T>();
        var effect = chosen.Effect ?? (chosen.Verify is null ? EffectKind.Irreversible : EffectKind.Verifiable);
        if (effect == EffectKind.Verifiable && chosen.Verify is null)
        {
            throw new OmiumException($"the transaction '{name}' is verifiable: give Verify, which tells whether it happened", "verify_needed");
        }

        var declared = Declared(chosen, "transaction") with
        {
            Effect = effect switch { EffectKind.Idempotent => "idempotent", EffectKind.Verifiable => "verifiable", _ => "irreversible" },
            Compensate = chosen.Compensate,
            IdempotencyKey = chosen.IdempotencyKey,
            Approval = chosen.Approval ? true : null,
            AmountUsd = chosen.AmountUsd,
        };
        var step = await _session.BeginAsync(name, chosen.Key, declared, cancellation);
        while (step.Answer.State == "verify")
        {
            var found = chosen.Verify is null ? Verification.Unknown<T>() : await chosen.Verify(Context(step), cancellation);
            await _session.VerifiedAsync(step, found.Status, found.Status == "done" ? _session.Written(found.Output, $"what Verify of {name} gives") : null, cancellation);
            step = await _session.BeginAgainAsync(name, step.Key, declared, cancellation);
        }

        return step.Runs ? await DoAsync(step, token => work(Context(step), token), cancellation) : _session.Read<T>(step.Answer.Output, name);
    }

    /// <summary>Records what failed, as a step of its own; the exception stays the caller's.</summary>
    public async Task CaptureFailureAsync(string name, Exception failure, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(failure);
        try
        {
            var step = await _session.BeginAsync(name, null, Declared(null, null), cancellation);
            if (step.Runs)
            {
                await _session.FailAsync(step, Failures.Of(failure), cancellation);
            }
        }
        catch (StepFailedException)
        {
            // It is on record from an earlier run.
        }
    }

    private async Task<T> DoAsync<T>(Step step, Func<CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        T result;
        JsonElement output;
        try
        {
            result = await work(cancellation);
            output = _session.Written(result, $"the result of {step.Name}");
        }
        catch (BeginAnewException)
        {
            throw; // A step within it was taken back, and so is this one.
        }
        catch (Exception thrown)
        {
            // Told also when the caller has given up: who cancels does not want it forgotten what may have happened.
            await _session.FailAsync(step, Failures.Of(thrown), thrown is OperationCanceledException ? CancellationToken.None : cancellation);
            throw;
        }

        await _session.FinishAsync(step, output, cancellation);
        return result;
    }

    private static TransactionContext Context(Step step) => new(step.Name, step.Answer.IdempotencyKey ?? "", step.Answer.Attempt ?? 1);

    private TraceOperationRequest Declared(StepOptions? options, string? kind) => new()
    {
        Kind = kind,
        Agent = Agent,
        Input = options?.Input is { } input ? _session.Written(input, "the input") : null,
        InputDigest = options?.InputDigest,
        Schema = options?.Schema,
        Constraints = options?.Constraints?.Json,
    };
}
