using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;

namespace Omium.Ai;

/// <summary>What calling a function does to the world, and how it may be repeated, approved and undone.</summary>
public sealed class FunctionGuard
{
    /// <summary>Null: it changes nothing, and is a checkpoint. Else it is a transaction of that kind. Default irreversible: nobody has said otherwise.</summary>
    public EffectKind? Effect { get; init; } = EffectKind.Irreversible;

    /// <summary>Name of the compensation that undoes it: its output is the function's result.</summary>
    public string? Compensate { get; init; }

    /// <summary>Tells whether a call happened.</summary>
    public Func<TransactionContext, AIFunctionArguments, CancellationToken, Task<Verification<JsonElement>>>? Verify { get; init; }

    /// <summary>A person approves each call before it is made.</summary>
    public bool Approval { get; init; }

    /// <summary>Value at stake in USD, from the arguments.</summary>
    public Func<AIFunctionArguments, double>? AmountUsd { get; init; }

    /// <summary>What the result is held to.</summary>
    public JsonElement? Schema { get; init; }
}

/// <summary>
/// A function for a model whose calls are guarded: a checkpoint or a transaction of a traced execution, with the arguments on record. Played again, the recorded result answers.
/// The idempotency key is in <see cref="AIFunctionArguments.Context"/> under <see cref="IdempotencyKeyName"/>.
/// </summary>
public sealed class GuardedFunction(AIFunction inner, TracedExecution execution, FunctionGuard guard) : DelegatingAIFunction(inner)
{
    /// <summary>Where the function finds the key to send along.</summary>
    public const string IdempotencyKeyName = "omium.idempotency_key";

    /// <inheritdoc/>
    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        var input = arguments.ToDictionary(argument => argument.Key, argument => argument.Value, StringComparer.Ordinal);
        var verify = guard.Verify;
        return guard.Effect is not { } effect
            ? await execution.CheckpointAsync(Name, token => CallAsync(arguments, null, token), new StepOptions { Input = input, Schema = guard.Schema }, cancellationToken)
            : await execution.TransactionAsync(
                Name,
                (context, token) => CallAsync(arguments, context.IdempotencyKey, token),
                new TransactionOptions<JsonElement>
                {
                    Input = input,
                    Schema = guard.Schema,
                    Effect = effect,
                    Compensate = guard.Compensate,
                    Approval = guard.Approval,
                    AmountUsd = guard.AmountUsd?.Invoke(arguments),
                    Verify = verify is null ? null : (context, token) => verify(context, arguments, token),
                },
                cancellationToken);
    }

    private async Task<JsonElement> CallAsync(AIFunctionArguments arguments, string? key, CancellationToken cancellation)
    {
        if (key is not null)
        {
            arguments.Context ??= new Dictionary<object, object?>();
            arguments.Context[IdempotencyKeyName] = key;
        }

        var result = await base.InvokeCoreAsync(arguments, cancellation);
        return result is JsonElement element ? element : JsonSerializer.SerializeToElement(result, GuardedAIExtensions.TypeOf(result?.GetType() ?? typeof(object)));
    }
}

/// <summary>Guards for what Microsoft.Extensions.AI agents call.</summary>
public static class GuardedAIExtensions
{
    /// <summary>A client whose answers are recorded in an execution.</summary>
    public static IChatClient Guarded(this IChatClient client, TracedExecution execution, string name = "model", StepOptions? options = null) =>
        new GuardedChatClient(client, execution, name, options);

    /// <summary>A function whose calls are guarded; without a guard each is an irreversible transaction.</summary>
    public static AIFunction Guarded(this AIFunction function, TracedExecution execution, FunctionGuard? guard = null) =>
        new GuardedFunction(function, execution, guard ?? new FunctionGuard());

    internal static JsonTypeInfo<T> TypeOf<T>() => (JsonTypeInfo<T>)AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(T));

    internal static JsonTypeInfo TypeOf(Type type) => AIJsonUtilities.DefaultOptions.GetTypeInfo(type);
}
