using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Kernel.Executions;

namespace Omium.Kernel.Ledger;

/// <summary>
/// The kernel of money: pure and deterministic, as the kernel of executions, and recorded in the same way. One stream per tenant; double entry, in
/// whole micro-credits. Law: after every record the accounts sum to 0, and none but the overdraft and the sources is negative.
/// </summary>
public static class LedgerKernel
{
    /// <summary>Raised whenever Decide can answer differently than before.</summary>
    public const int Version = 1;

    /// <summary>Decides requests in their order. The same state and requests always give the same outcome; never throws.</summary>
    public static LedgerOutcome Decide(LedgerState state, PostRequests command) => new LedgerDecision(state, command.AtMs).Run(command);

    /// <summary>The state after an event of a record decided at <paramref name="atMs"/>. Throws <see cref="CorruptLogException"/> only.</summary>
    public static LedgerState Evolve(LedgerState state, LedgerEvent happened, long atMs) => LedgerEvolver.Evolve(state, happened, atMs);

    /// <summary>The state after all events of a record.</summary>
    public static LedgerState Fold(LedgerState state, LedgerBody record)
    {
        foreach (var happened in record.Events)
        {
            state = Evolve(state, happened, record.Command.AtMs);
        }

        return state;
    }
}

/// <summary>What decisions came to.</summary>
/// <param name="Command">The requests that led to something: what is stored. Decided again they give the same events.</param>
/// <param name="Events">Events to append; none when nothing came of any request.</param>
/// <param name="State">The state after them.</param>
/// <param name="Replies">One for each request, in their order.</param>
public sealed record LedgerOutcome(PostRequests Command, IReadOnlyList<LedgerEvent> Events, LedgerState State, IReadOnlyList<LedgerReply> Replies);

/// <summary>What became of one request.</summary>
/// <param name="Rejection">Why it was refused; null when it was accepted, or was a repetition.</param>
/// <param name="Reservation">Of reserve: the reservation as it stands.</param>
/// <param name="Changed">False for a refusal and a repetition.</param>
public readonly record struct LedgerReply(Rejection? Rejection, Reservation? Reservation, bool Changed);

/// <summary>The sealed part of a record: the command, and the events it led to.</summary>
public sealed record LedgerBody(PostRequests Command, IReadOnlyList<LedgerEvent> Events);

/// <summary>How commands and events are stored: as those of executions (<see cref="KernelJson"/>).</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UseStringEnumConverter = true,
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(LedgerBody))]
[JsonSerializable(typeof(LedgerState))]
public sealed partial class LedgerJson : JsonSerializerContext
{
    /// <summary>The stored bytes of a record's body.</summary>
    public static byte[] Serialize(LedgerBody body) => JsonSerializer.SerializeToUtf8Bytes(body, Default.LedgerBody);

    /// <summary>Reads a stored body.</summary>
    public static LedgerBody Deserialize(ReadOnlySpan<byte> utf8) =>
        JsonSerializer.Deserialize(utf8, Default.LedgerBody) ?? throw new JsonException("a record body is null");
}
