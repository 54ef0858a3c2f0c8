namespace Omium;

/// <summary>
/// An agent as a class: derive, write <see cref="RunAsync"/>, and run it with <see cref="OmiumClient.RunAsync{TInput, TOutput}"/>. What it does within checkpoints and
/// transactions is recorded in its name.
/// </summary>
/// <typeparam name="TInput">What it is given.</typeparam>
/// <typeparam name="TOutput">What it gives.</typeparam>
public abstract class Agent<TInput, TOutput>
{
    /// <summary>Its name; default that of the class.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>What it does. It is run again from its start when what it did was taken back: what is recorded answers.</summary>
    public abstract Task<TOutput> RunAsync(TracedExecution execution, TInput input, CancellationToken cancellation);

    /// <summary>As a part of an execution of others, in its own name.</summary>
    public Task<TOutput> TakePartAsync(TracedExecution execution, TInput input, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(execution);
        return RunAsync(execution.As(Name), input, cancellation);
    }
}
