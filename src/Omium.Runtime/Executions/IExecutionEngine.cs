using Omium.Kernel.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Executions;

/// <summary>
/// What the edges of the system (HTTP, commands) need of an engine. Guarantees: a command that was accepted is durable when this returns, and
/// what became outstanding by it is run by some host, here or elsewhere, without further calls.
/// </summary>
public interface IExecutionEngine
{
    /// <summary>Decides and records a command, then sees to what became outstanding.</summary>
    /// <param name="stream">The execution.</param>
    /// <param name="command">What is wanted.</param>
    /// <param name="payloads">Large values that the command refers to, by digest; they become durable with its record.</param>
    /// <param name="cancellation">Gives up waiting; whether the command was recorded is then unknown.</param>
    ValueTask<AdvanceResult> SubmitAsync(
        StreamId stream, ExecutionCommand command, IReadOnlyDictionary<string, byte[]>? payloads = null, CancellationToken cancellation = default);

    /// <summary>Executions that this host has set aside, each with its reason.</summary>
    IReadOnlyCollection<SetAsideExecution> SetAside => [];

    /// <summary>Whether and why this host has set an execution aside; null when it has not.</summary>
    SetAsideExecution? FindSetAside(StreamId stream) => SetAside.FirstOrDefault(aside => aside.Stream == stream);

    /// <summary>
    /// Reads an execution that was set aside anew and takes it up again. Null when it goes on (or was not set aside); else it is set aside again, for
    /// the reason answered.
    /// </summary>
    ValueTask<SetAsideExecution?> ReleaseAsync(StreamId stream, CancellationToken cancellation = default) => new((SetAsideExecution?)null);
}
