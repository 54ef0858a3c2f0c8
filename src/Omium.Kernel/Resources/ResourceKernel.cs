using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Kernel.Executions;

namespace Omium.Kernel.Resources;

/// <summary>
/// The kernel of what executions share: pure and deterministic, as the kernel of executions, and recorded in the same way. One stream per root;
/// no command ever concerns two roots, because there is no transaction over two streams.
/// </summary>
public static class ResourceKernel
{
    /// <summary>Raised whenever Decide can answer differently than before.</summary>
    public const int Version = 1;

    /// <summary>Decides a command. The same state and command always give the same outcome; never throws.</summary>
    public static ResourceOutcome Decide(ResourceState state, ResourceCommand command) => new ResourceDecision(state, command.AtMs).Run(command);

    /// <summary>The state after an event of a record decided at <paramref name="atMs"/>. Throws <see cref="CorruptLogException"/> only.</summary>
    public static ResourceState Evolve(ResourceState state, ResourceEvent happened, long atMs) => ResourceEvolver.Evolve(state, happened, atMs);

    /// <summary>The state after all events of a record.</summary>
    public static ResourceState Fold(ResourceState state, ResourceBody record)
    {
        foreach (var happened in record.Events)
        {
            state = Evolve(state, happened, record.Command.AtMs);
        }

        return state;
    }
}

/// <summary>What a decision came to.</summary>
/// <param name="Events">Events to append; none for a no-op and a refusal.</param>
/// <param name="State">The state after them.</param>
/// <param name="Rejection">Why it was refused; null when it was accepted.</param>
/// <param name="BlockedBy">With a refusal: the owner or transaction that is in the way.</param>
/// <param name="Key">With a refusal: the value it is about.</param>
public sealed record ResourceOutcome(IReadOnlyList<ResourceEvent> Events, ResourceState State, Rejection? Rejection = null, string? BlockedBy = null, string? Key = null);

/// <summary>The sealed part of a record: the command, and the events it led to.</summary>
public sealed record ResourceBody(ResourceCommand Command, IReadOnlyList<ResourceEvent> Events);

/// <summary>How commands and events are stored: as those of executions (<see cref="KernelJson"/>).</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UseStringEnumConverter = true,
    Converters = [typeof(RawElementConverter)],
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(ResourceBody))]
public sealed partial class ResourceJson : JsonSerializerContext
{
    /// <summary>The stored bytes of a record's body.</summary>
    public static byte[] Serialize(ResourceBody body) => JsonSerializer.SerializeToUtf8Bytes(body, Default.ResourceBody);

    /// <summary>Reads a stored body.</summary>
    public static ResourceBody Deserialize(ReadOnlySpan<byte> utf8) =>
        JsonSerializer.Deserialize(utf8, Default.ResourceBody) ?? throw new JsonException("a record body is null");
}
