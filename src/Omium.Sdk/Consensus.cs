using System.Text.Json;
using Omium.Contracts.Executions;
using Omium.Tracing;

namespace Omium;

/// <summary>
/// What the agents of an execution tell each other. Messages are recorded, held to schema and constraints by the server, and the same when they are received again.
/// </summary>
public sealed class Consensus
{
    private readonly TracedSession _session;
    private readonly string? _agent;

    internal Consensus(TracedSession session, string? agent) => (_session, _agent) = (session, agent);

    /// <summary>Hands the output of an agent over to whoever receives it; returns it.</summary>
    /// <param name="producer">The producing agent.</param>
    /// <param name="output">What it hands over.</param>
    /// <param name="options">What the message is held to.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="StepFailedException">The message breaks its schema or constraints; nobody receives it.</exception>
    public Task<T> BroadcastAsync<T>(string producer, T output, MessageOptions? options = null, CancellationToken cancellation = default) =>
        Messages.SendAsync(_session, producer, null, output, options, cancellation);

    /// <summary>The newest output of an agent; waits for one.</summary>
    /// <exception cref="StepFailedException">The message breaks what the receiver asks, or the receiver has seen something else than is claimed and a person said so.</exception>
    public Task<T> ReceiveAsync<T>(string producer, MessageOptions? options = null, CancellationToken cancellation = default) =>
        Messages.ReceiveAsync<T>(_session, producer, _agent, options, cancellation);
}

/// <summary>What one agent hands to another.</summary>
public sealed class Handoff
{
    private readonly TracedSession _session;
    private readonly string _sender;
    private readonly string? _to, _agent;

    internal Handoff(TracedSession session, string sender, string? to, string? agent) => (_session, _sender, _to, _agent) = (session, sender, to, agent);

    /// <summary>Hands it over; returns it. <see cref="MessageOptions.Claims"/> says what is claimed of it.</summary>
    /// <exception cref="StepFailedException">The message breaks its schema or constraints.</exception>
    public Task<T> SendAsync<T>(T output, MessageOptions? options = null, CancellationToken cancellation = default) =>
        Messages.SendAsync(_session, _sender, _to, output, options, cancellation);

    /// <summary>What was handed over; waits for it. <see cref="MessageOptions.Seen"/> says what the receiver holds: where it differs from what is claimed, everything halts and a person sees both.</summary>
    /// <exception cref="StepFailedException">The two do not agree.</exception>
    public Task<T> ReceiveAsync<T>(MessageOptions? options = null, CancellationToken cancellation = default) => Messages.ReceiveAsync<T>(_session, _sender, _agent, options, cancellation);
}

/// <summary>What a message is held to, and what is said about it.</summary>
public sealed class MessageOptions
{
    /// <summary>JSON Schema of the message; <see cref="Schema.Of{T}"/> makes one of a type.</summary>
    public JsonElement? Schema { get; init; }

    /// <summary>What the message has to keep.</summary>
    public Constraints? Constraints { get; init; }

    /// <summary>Sending: what is claimed of the message, by name.</summary>
    public IReadOnlyDictionary<string, object>? Claims { get; init; }

    /// <summary>Receiving: what the receiver has seen of each claim, by name.</summary>
    public IReadOnlyDictionary<string, object>? Seen { get; init; }

    /// <summary>Tells messages of one agent apart that are sent or received at the same time. Default: the n-th.</summary>
    public string? Key { get; init; }
}

/// <summary>Sending and receiving.</summary>
internal static class Messages
{
    public static async Task<T> SendAsync<T>(TracedSession session, string producer, string? to, T output, MessageOptions? options, CancellationToken cancellation)
    {
        var operation = new TraceOperationRequest
        {
            Do = "handoff", To = to, Output = session.Written(output, $"the output of {producer}"), Schema = options?.Schema, Constraints = options?.Constraints?.Json,
            Claims = options?.Claims is { } claims ? session.Written(claims, "the claims") : null,
        };
        return session.Read<T>(await session.TellAsync(producer, options?.Key, operation, cancellation), $"the output of {producer}");
    }

    public static async Task<T> ReceiveAsync<T>(TracedSession session, string producer, string? agent, MessageOptions? options, CancellationToken cancellation)
    {
        var operation = new TraceOperationRequest
        {
            Do = "receive", Agent = agent, Schema = options?.Schema, Constraints = options?.Constraints?.Json, Seen = options?.Seen is { } seen ? session.Written(seen, "what was seen") : null,
        };
        return session.Read<T>(await session.TellAsync(producer, options?.Key, operation, cancellation), $"the output of {producer}");
    }
}
