using System.Text.Json;

namespace Omium.Kernel.Specs;

/// <summary>
/// What a sender and a receiver must agree on before the receiver starts: the message is checked as it is sent, and for every claim what the
/// sender states is compared with what is measured on the receiver's side.
/// </summary>
public sealed record HandoffSpec
{
    /// <summary>JSON Schema of the message (the sender's output); null = the sender's output schema alone.</summary>
    public JsonElement? Schema { get; init; }

    /// <summary>Expressions over <c>output</c> that must be true; one that is not fails the sender's attempt before it commits.</summary>
    public IReadOnlyList<string> Constraints { get; init; } = [];

    /// <summary>Claims in the order of their names.</summary>
    public IReadOnlyList<ClaimSpec> Claims { get; init; } = [];

    /// <summary>True: the receiver says itself what it holds; only a worker can. Claims that name what is <c>seen</c> are still measured by Omium.</summary>
    public bool Acknowledge { get; init; }

    /// <summary>Where it was written: JSON pointer.</summary>
    public string Pointer { get; init; } = "";
}

/// <summary>One claim of a handoff.</summary>
/// <param name="Name">Name, an id.</param>
/// <param name="Said">What the sender states (expression over <c>output</c>).</param>
/// <param name="Seen">What is measured on the message as delivered (expression over <c>output</c>); null = by a tool or by the receiving worker.</param>
/// <param name="Tool">The tool that measures, of kind none; null = by expression or worker.</param>
/// <param name="Arguments">Its arguments (template over <c>output</c>); null = the message.</param>
/// <param name="Value">What of the tool's result is compared (expression over <c>output</c> = the result); null = all of it.</param>
public sealed record ClaimSpec(string Name, string Said, string? Seen, string? Tool, JsonElement? Arguments, string? Value)
{
    /// <summary>True when nobody but the receiving worker can say what was received.</summary>
    public bool ByReceiver => Seen is null && Tool is null;
}

/// <summary>Agents that must agree before a step commits.</summary>
/// <param name="Quorum">How many must approve; default: more than half.</param>
/// <param name="Of">Agents asked.</param>
public sealed record VerifiersSpec(int Quorum, IReadOnlyList<string> Of);
