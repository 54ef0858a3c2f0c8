using Omium.Kernel.Specs;

namespace Omium.Runtime.Effects.Limits;

/// <summary>
/// Limits of agents and tools, shared by every execution of a tenant. Concurrency and rate make a call wait: nothing is recorded and nothing
/// fails. An open breaker answers at once.
/// </summary>
public interface ICallLimiter
{
    /// <summary>Waits until one more call of <paramref name="target"/> may be made, in the order of arrival. Dispose the permit when the call is over.</summary>
    ValueTask<CallPermit> EnterAsync(LimitedTarget target, LimitsSpec limits, CancellationToken cancellation);
}

/// <summary>What is limited. Agents and tools of one name count together, whatever workflow of the tenant names them.</summary>
/// <param name="Tenant">Tenant.</param>
/// <param name="Kind">agent or tool.</param>
/// <param name="Name">Its name.</param>
public readonly record struct LimitedTarget(string Tenant, string Kind, string Name);

/// <summary>Leave to make one call, or word that the breaker is open.</summary>
public sealed class CallPermit : IDisposable
{
    private Action<bool?>? _leave;
    private bool? _succeeded;

    /// <summary>Makes a permit; <paramref name="leave"/> is told once how the call went: null = it was not made.</summary>
    public CallPermit(Action<bool?>? leave, TimeSpan? retryAfter = null) => (_leave, RetryAfter) = (leave, retryAfter);

    /// <summary>No limits.</summary>
    public static CallPermit Unlimited => new(null);

    /// <summary>Not null: the breaker is open for so long; the call must not be made.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>Says how the call went.</summary>
    public void Report(bool succeeded) => _succeeded = succeeded;

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref _leave, null)?.Invoke(_succeeded);
}
