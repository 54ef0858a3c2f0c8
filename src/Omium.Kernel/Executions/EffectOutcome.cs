using System.Text.Json;

namespace Omium.Kernel.Executions;

/// <summary>What became of one run of an effect, as its runner saw it. Exactly one of the three is set.</summary>
public sealed record EffectOutcome
{
    /// <summary>A tool's, function's or worker's result.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>A model's answer.</summary>
    public ModelAnswer? Answer { get; init; }

    /// <summary>Why there is neither.</summary>
    public EffectFailure? Failure { get; init; }

    /// <summary>With a result from the records (a sandbox's): the effect it was recorded for, <c>execution/effect</c>.</summary>
    public string? Source { get; init; }
}

/// <summary>Why an effect gave no result.</summary>
/// <param name="Class">One of <see cref="Specs.FailureClasses"/>.</param>
/// <param name="Code">Stable code (connection_refused, http_503, response_too_large, context_overflow, ...).</param>
/// <param name="Message">For people; holds no secret.</param>
/// <param name="MayHaveHappened">
/// True when the other side may have acted (a time-out after sending, a 5xx answer, a broken connection); false when it certainly has not
/// (refused before sending, a 4xx answer).
/// </param>
/// <param name="RetryAfterMs">How long the other side asked to wait.</param>
/// <param name="Permanent">True when trying again cannot help (a 4xx answer, an unknown model, an overflowing context).</param>
public sealed record EffectFailure(
    string Class, string Code, string Message, bool MayHaveHappened = false, long? RetryAfterMs = null, bool Permanent = false);

/// <summary>One answer of a model, raw: the kernel parses and checks it.</summary>
public sealed record ModelAnswer
{
    /// <summary>Text; null when there is none, or when <see cref="Output"/> says what it was read as.</summary>
    public string? Content { get; init; }

    /// <summary>
    /// A large final answer as the step reads it (<see cref="ExecutionKernel.ReadAnswer"/>): a reference to the value, which becomes the step's output.
    /// So it is stored once and not a second time as text. Null for every other answer.
    /// </summary>
    public JsonElement? Output { get; init; }

    /// <summary>Calls the model asks for.</summary>
    public IReadOnlyList<ModelToolCall> ToolCalls { get; init; } = [];

    /// <summary>stop, length, tool_calls, content_filter or what the endpoint said.</summary>
    public string FinishReason { get; init; } = "stop";

    /// <summary>Text of a refusal; null when it did not refuse.</summary>
    public string? Refusal { get; init; }

    /// <summary>Model that answered.</summary>
    public string? Model { get; init; }

    /// <summary>Tokens read.</summary>
    public long InputTokens { get; init; }

    /// <summary>Tokens written.</summary>
    public long OutputTokens { get; init; }
}

/// <summary>A call a model asks for; <paramref name="Arguments"/> is the text it wrote, which may not be JSON.</summary>
public sealed record ModelToolCall(string Id, string Name, string Arguments);

/// <summary>A request to a model, made by the kernel from recorded state only.</summary>
public sealed record ModelRequest
{
    /// <summary>Model name; null = the installation's default.</summary>
    public string? Model { get; init; }

    /// <summary>Sampling temperature; null = not sent.</summary>
    public double? Temperature { get; init; }

    /// <summary>Most tokens in the answer; null = not sent.</summary>
    public int? AnswerTokensMax { get; init; }

    /// <summary>The conversation so far.</summary>
    public required IReadOnlyList<ModelMessage> Messages { get; init; }

    /// <summary>Tools offered.</summary>
    public IReadOnlyList<ModelTool> Tools { get; init; } = [];

    /// <summary>JSON Schema the answer must meet (structured output); null = free text.</summary>
    public JsonElement? AnswerSchema { get; init; }

    /// <summary>Name of the schema, <c>[a-zA-Z0-9_-]{1,64}</c>.</summary>
    public string AnswerSchemaName { get; init; } = "answer";

    /// <summary>Time the call may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(120);
}

/// <summary>One message: role is system, user, assistant or tool.</summary>
public sealed record ModelMessage(string Role, string? Content)
{
    /// <summary>Assistant: the calls it asked for.</summary>
    public IReadOnlyList<ModelToolCall> ToolCalls { get; init; } = [];

    /// <summary>Tool: the call this answers.</summary>
    public string? ToolCallId { get; init; }
}

/// <summary>A tool offered to a model.</summary>
public sealed record ModelTool(string Name, string? Description, JsonElement? Parameters);

/// <summary>
/// A call of a tool, made by the kernel from recorded state only. Texts may hold secret markers
/// (<see cref="SecretMarker"/>), which the runner replaces when it sends.
/// </summary>
public sealed record ToolRequest
{
    /// <summary>Whose secrets it may carry.</summary>
    public string Tenant { get; init; } = "";

    /// <summary>Tool.</summary>
    public required Specs.ToolSpec Tool { get; init; }

    /// <summary>Arguments.</summary>
    public required JsonElement Arguments { get; init; }

    /// <summary>HTTP: rendered URL.</summary>
    public string? Url { get; init; }

    /// <summary>HTTP: rendered headers.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>HTTP: rendered body; null = none.</summary>
    public JsonElement? Body { get; init; }

    /// <summary>Sent as header <c>Idempotency-Key</c> when the effect has one.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>
    /// Sent as header <c>Omium-Fencing-Token</c> while the step holds locks: <c>root=token</c>, comma-separated, roots percent-encoded. A receiver that
    /// remembers the greatest token of a root and refuses smaller ones is safe from a caller that was stopped and goes on too late.
    /// </summary>
    public string? FencingTokens { get; init; }

    /// <summary>Effect id, sent as header <c>Omium-Effect</c>, so that a receiver's log can be matched with ours.</summary>
    public required string EffectId { get; init; }

    /// <summary>Time the call may take.</summary>
    public required TimeSpan Timeout { get; init; }
}

/// <summary>How a secret stands in a rendered text until the runner sends it: never a value, always a name.</summary>
public static class SecretMarker
{
    /// <summary>Start and end of a marker: private-use characters that no name may hold.</summary>
    public const char Start = '\uE000', End = '\uE001';

    /// <summary>The marker of a secret.</summary>
    public static string Of(string name) => $"{Start}secret:{name}{End}";
}
