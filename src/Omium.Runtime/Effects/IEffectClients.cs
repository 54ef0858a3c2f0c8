using Omium.Kernel.Executions;

namespace Omium.Runtime.Effects;

/// <summary>Talks to a model. Never throws for what the other side does: that is data in the outcome. Throws only when cancelled.</summary>
public interface IModelClient
{
    /// <summary>Asks once. No retry inside: the kernel decides on retries, and records them.</summary>
    Task<EffectOutcome> AnswerAsync(ModelRequest request, Action<string>? onDelta, CancellationToken cancellation);
}

/// <summary>Calls tools of one type. The same rules as <see cref="IModelClient"/>.</summary>
public interface IToolClient
{
    /// <summary>Calls once.</summary>
    Task<EffectOutcome> CallAsync(ToolRequest request, CancellationToken cancellation);
}
