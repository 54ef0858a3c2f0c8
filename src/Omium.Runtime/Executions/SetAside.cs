using Omium.Runtime.Ports;

namespace Omium.Runtime.Executions;

/// <summary>An execution that its host has set aside: deciding about it failed, so nothing is begun for it until a person releases it. The others go on.</summary>
/// <param name="Stream">The execution.</param>
/// <param name="Reason">What failed, for a person.</param>
/// <param name="SinceUnixMs">When, milliseconds since the Unix epoch.</param>
public sealed record SetAsideExecution(StreamId Stream, string Reason, long SinceUnixMs);

/// <summary>The execution is set aside; <c>POST /v1/executions/{id}/release</c> has it tried again.</summary>
public sealed class ExecutionSetAsideException(SetAsideExecution execution)
    : Exception($"The execution is set aside since {DateTimeOffset.FromUnixTimeMilliseconds(execution.SinceUnixMs):O}: {execution.Reason}")
{
    /// <summary>Which, why and since when.</summary>
    public SetAsideExecution Execution { get; } = execution;
}
