using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Omium.Ai;

/// <summary>
/// A chat client whose answers are recorded: each is a checkpoint of a traced execution, so that a program which is started again is answered from the record and never
/// asks for what was already said. Put it <em>inside</em> a client that invokes functions, and guard the functions with
/// <see cref="GuardedAIExtensions.Guarded(AIFunction, TracedExecution, FunctionGuard?)"/>.
/// </summary>
/// <param name="inner">The client that asks the model.</param>
/// <param name="execution">The execution.</param>
/// <param name="name">Name of the checkpoints.</param>
/// <param name="options">What each answer is held to; its input is the conversation.</param>
public sealed class GuardedChatClient(IChatClient inner, TracedExecution execution, string name = "model", StepOptions? options = null) : DelegatingChatClient(inner)
{
    /// <summary>The recorded answer, or the model's, which is recorded.</summary>
    /// <exception cref="StepFailedException">The model failed when it was recorded, or its answer does not meet its checks.</exception>
    /// <exception cref="ReplayMismatchException">At this place another conversation was recorded.</exception>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<ChatMessage> asked = [.. messages];
        var answer = await execution.CheckpointAsync(
            name,
            async token => JsonSerializer.SerializeToElement(await base.GetResponseAsync(asked, options, token), GuardedAIExtensions.TypeOf<ChatResponse>()),
            Declared(asked, options),
            cancellationToken);
        return answer.Deserialize(GuardedAIExtensions.TypeOf<ChatResponse>())!;
    }

    /// <summary>The whole answer in one piece of each message: what is recorded is whole, so that it is the same when it is played again.</summary>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
        {
            yield return update;
        }
    }

    private StepOptions Declared(IReadOnlyList<ChatMessage> asked, ChatOptions? chat) => new()
    {
        Key = options?.Key,
        Schema = options?.Schema,
        Constraints = options?.Constraints,
        InputDigest = options?.InputDigest ?? Digest(asked, chat),
    };

    /// <summary>Of what the model is asked: the conversation stays in this process.</summary>
    private static string Digest(IReadOnlyList<ChatMessage> asked, ChatOptions? chat)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var message in asked)
        {
            // What a message says, not its id or its time: those differ from one run to the next.
            digest.AppendData(JsonSerializer.SerializeToUtf8Bytes(message.Role.Value, GuardedAIExtensions.TypeOf<string>()));
            digest.AppendData(JsonSerializer.SerializeToUtf8Bytes(message.Contents, GuardedAIExtensions.TypeOf<IList<AIContent>>()));
        }

        digest.AppendData(JsonSerializer.SerializeToUtf8Bytes($"{chat?.ModelId}\n{chat?.Instructions}", GuardedAIExtensions.TypeOf<string>()));
        return Convert.ToHexStringLower(digest.GetHashAndReset());
    }
}
