using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;

namespace Omium.Runtime.Effects.Tools;

/// <summary>
/// Calls functions of this process. A function that completes at once costs no thread switch. One that throws, or outlives its time-out,
/// may have acted; one that is not registered has not.
/// </summary>
public sealed class FunctionToolClient(FunctionRegistry functions, TimeProvider? time = null) : IToolClient
{
    private static readonly JsonElement Null = JsonSerializer.SerializeToElement<object?>(null);
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <inheritdoc/>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever a user's function throws is a failed call, not a bug of Omium.")]
    public Task<EffectOutcome> CallAsync(ToolRequest request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        var name = request.Tool.Target ?? request.Tool.Name;
        if (!functions.TryGet(name, out var function))
        {
            return Task.FromResult(Failed("function_not_found", $"No function '{name}' is registered in this process.", false, permanent: true));
        }

        var timeout = new CancellationTokenSource(request.Timeout, _time);
        ValueTask<JsonElement> running;
        try
        {
            running = function(request.Arguments, timeout.Token);
            if (running.IsCompletedSuccessfully)
            {
                timeout.Dispose();
                return Task.FromResult(Succeeded(running.Result));
            }
        }
        catch (Exception thrown)
        {
            timeout.Dispose();
            return Task.FromResult(Thrown(name, thrown));
        }

        return WaitAsync(name, running.AsTask(), request.Timeout, timeout, cancellation);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever a user's function throws is a failed call, not a bug of Omium.")]
    private static async Task<EffectOutcome> WaitAsync(
        string name, Task<JsonElement> running, TimeSpan limit, CancellationTokenSource timeout, CancellationToken cancellation)
    {
        using var owned = timeout;
        using var forward = cancellation.Register(timeout.Cancel);
        try
        {
            return Succeeded(await running.WaitAsync(timeout.Token));
        }
        catch (Exception) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return new()
            {
                Failure = new(
                    FailureClasses.Timeout, "function_timeout", $"The function '{name}' took longer than {limit.TotalMilliseconds:0} ms.",
                    MayHaveHappened: true),
            };
        }
        catch (Exception thrown)
        {
            return Thrown(name, thrown);
        }
    }

    /// <summary>A function that gives back <c>default</c> gives null: an undefined element cannot be written.</summary>
    private static EffectOutcome Succeeded(JsonElement result) => new() { Result = result.ValueKind == JsonValueKind.Undefined ? Null : result };

    private static EffectOutcome Thrown(string name, Exception thrown) =>
        Failed("function_failed", $"The function '{name}' failed: {thrown.Message}", true);

    private static EffectOutcome Failed(string code, string message, bool mayHaveHappened, bool permanent = false) =>
        new() { Failure = new(FailureClasses.ToolError, code, message, mayHaveHappened, Permanent: permanent) };
}
