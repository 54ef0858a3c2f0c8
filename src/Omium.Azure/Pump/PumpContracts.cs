using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Runtime.Ports;

namespace Omium.Azure.Pump;

/// <summary>
/// Input of a pump: which execution. These records are what orchestrations hold in their history: a field, once released, never changes its name or
/// meaning.
/// </summary>
public sealed record PumpInput([property: JsonPropertyName("tenant")] string Tenant, [property: JsonPropertyName("execution")] string Execution)
{
    /// <summary>The execution's stream.</summary>
    [JsonIgnore]
    public StreamId Stream => new(Tenant, Execution);

    /// <summary>The instance of a stream's pump; the same from every host.</summary>
    public static string InstanceOf(StreamId stream) => "pump." + Digest(stream.ToString());

    /// <summary>The input of a stream's pump.</summary>
    public static PumpInput Of(StreamId stream) => new(stream.Tenant, stream.Id);

    internal static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..40];
}

/// <summary>What is outstanding, without any payload: at most <see cref="EffectsMax"/> effects that are due, and when to look again.</summary>
/// <param name="Effects">Due now, to be run.</param>
/// <param name="More">True when more are due than fit: look again as soon as these are under way.</param>
/// <param name="NextDueUnixMs">When something else falls due, milliseconds since the Unix epoch; null while nothing waits for a time.</param>
/// <param name="IsDone">True when nothing is outstanding and nothing can become so by itself: the pump ends, and a later command starts it again.</param>
public sealed record PumpPage(
    [property: JsonPropertyName("effects")] IReadOnlyList<EffectInput> Effects,
    [property: JsonPropertyName("more")] bool More,
    [property: JsonPropertyName("next_due_unix_ms")] long? NextDueUnixMs,
    [property: JsonPropertyName("is_done")] bool IsDone)
{
    /// <summary>Effects of one page.</summary>
    public const int EffectsMax = 100;
}

/// <summary>One effect to run.</summary>
/// <param name="Tenant">Tenant.</param>
/// <param name="Execution">Execution.</param>
/// <param name="Effect">Local effect id.</param>
/// <param name="MayWait">True: it may wait for others (a lock, credits), so that one that runs is told to look again.</param>
public sealed record EffectInput(
    [property: JsonPropertyName("tenant")] string Tenant,
    [property: JsonPropertyName("execution")] string Execution,
    [property: JsonPropertyName("effect")] string Effect,
    [property: JsonPropertyName("may_wait")] bool MayWait = false)
{
    /// <summary>The execution's stream.</summary>
    [JsonIgnore]
    public StreamId Stream => new(Tenant, Execution);

    /// <summary>The instance that runs it: one effect never runs in two instances at a time.</summary>
    [JsonIgnore]
    public string Instance => "effect." + PumpInput.Digest($"{Stream}/{Effect}");
}

/// <summary>What came of running an effect.</summary>
/// <param name="LookAgainUnixMs">It waits for others: when to look again, milliseconds since the Unix epoch, if nobody tells it before. Null: it is done with.</param>
public sealed record EffectRun([property: JsonPropertyName("look_again_unix_ms")] long? LookAgainUnixMs);

/// <summary>A decision that came as the event <c>approve</c>.</summary>
/// <param name="Approval">Its data, as it came: only the API reads it.</param>
public sealed record ApprovalInput([property: JsonPropertyName("approval")] JsonElement Approval);

/// <summary>
/// What the pump needs of its host (Durable Functions, or a stand-in). Starting an instance that is there does nothing; an event for one that is not
/// there may be lost: the sweeper repairs that.
/// </summary>
public interface IPumpHost
{
    /// <summary>Sees to it that the execution's pump runs.</summary>
    Task EnsureStartedAsync(StreamId stream, CancellationToken cancellation);

    /// <summary>Tells the pump to look now.</summary>
    Task NudgeAsync(StreamId stream, CancellationToken cancellation);
}
