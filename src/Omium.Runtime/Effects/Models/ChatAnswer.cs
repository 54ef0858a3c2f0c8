using System.Text;
using System.Text.Json;
using Omium.Kernel.Executions;

namespace Omium.Runtime.Effects.Models;

/// <summary>The endpoint's answer is not what the protocol says.</summary>
internal sealed class MalformedAnswerException(string message) : Exception(message);

/// <summary>The endpoint sent an error in the middle of a stream.</summary>
internal sealed class StreamedErrorException(JsonElement error) : Exception
{
    public JsonElement Error { get; } = error;
}

/// <summary>
/// Collects an answer from one whole message or from the deltas of a stream, whose parallel tool calls come mixed and are told apart by
/// their index.
/// </summary>
internal sealed class ChatAnswer
{
    private readonly SortedDictionary<int, Call> _calls = [];
    private StringBuilder? _content;
    private StringBuilder? _refusal;
    private string? _finishReason;
    private string? _model;
    private long _inputTokens;
    private long _outputTokens;

    /// <summary>Reads a whole answer.</summary>
    /// <exception cref="MalformedAnswerException">It is no chat completion.</exception>
    public static ModelAnswer Read(JsonElement body)
    {
        var answer = new ChatAnswer();
        answer.Add(body, "message", onDelta: null);
        return answer.Build();
    }

    /// <summary>Adds one event of a stream.</summary>
    /// <exception cref="MalformedAnswerException">It is no part of a chat completion.</exception>
    /// <exception cref="StreamedErrorException">It is an error.</exception>
    public void AddDelta(JsonElement chunk, Action<string>? onDelta) => Add(chunk, "delta", onDelta);

    /// <summary>The answer.</summary>
    /// <exception cref="MalformedAnswerException">It did not come to its end.</exception>
    public ModelAnswer Build() => new()
    {
        Content = _content is { Length: 0 } && (_calls.Count > 0 || _refusal is not null) ? null : _content?.ToString(),
        Refusal = _refusal?.ToString(),
        ToolCalls = [.. _calls.Select(pair => pair.Value.Build(pair.Key))],
        FinishReason = _finishReason ?? throw new MalformedAnswerException("The answer has no finish_reason; it was cut off."),
        Model = _model,
        InputTokens = _inputTokens,
        OutputTokens = _outputTokens,
    };

    private void Add(JsonElement body, string part, Action<string>? onDelta)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw new MalformedAnswerException("The answer is not a JSON object.");
        }

        if (Member(body, "error", JsonValueKind.Object) is { } error)
        {
            throw new StreamedErrorException(error.Clone());
        }

        _model ??= Text(body, "model");
        if (Member(body, "usage", JsonValueKind.Object) is { } usage)
        {
            _inputTokens = Count(usage, "prompt_tokens") ?? _inputTokens;
            _outputTokens = Count(usage, "completion_tokens") ?? _outputTokens;
        }

        var choices = Member(body, "choices", JsonValueKind.Array) ?? throw new MalformedAnswerException("The answer has no choices.");
        foreach (var choice in choices.EnumerateArray())
        {
            if (choice.ValueKind == JsonValueKind.Object && (Count(choice, "index") ?? 0) == 0)
            {
                AddChoice(choice, part, onDelta);
            }
        }
    }

    private void AddChoice(JsonElement choice, string part, Action<string>? onDelta)
    {
        _finishReason = Text(choice, "finish_reason") ?? _finishReason;
        if (Member(choice, part, JsonValueKind.Object) is not { } message)
        {
            if (part == "message")
            {
                throw new MalformedAnswerException("The answer's choice has no message.");
            }

            return;
        }

        if (Text(message, "content") is { } content)
        {
            (_content ??= new()).Append(content);
            if (content.Length > 0)
            {
                onDelta?.Invoke(content);
            }
        }

        if (Text(message, "refusal") is { } refusal)
        {
            (_refusal ??= new()).Append(refusal);
        }

        var position = 0;
        foreach (var call in Member(message, "tool_calls", JsonValueKind.Array)?.EnumerateArray() ?? default)
        {
            AddCall(call, position++, isWhole: part == "message");
        }
    }

    private void AddCall(JsonElement call, int position, bool isWhole)
    {
        if (call.ValueKind != JsonValueKind.Object)
        {
            throw new MalformedAnswerException("A tool call is not a JSON object.");
        }

        var index = isWhole ? position : (int)(Count(call, "index") ?? IndexWithoutNumber(Text(call, "id")));
        if (!_calls.TryGetValue(index, out var built))
        {
            _calls[index] = built = new Call();
        }

        built.Id ??= Text(call, "id") is { Length: > 0 } id ? id : null;
        if (Member(call, "function", JsonValueKind.Object) is { } function)
        {
            built.Name ??= Text(function, "name") is { Length: > 0 } name ? name : null;
            var arguments = Member(function, "arguments", JsonValueKind.Object) is { } written ? written.GetRawText() : Text(function, "arguments");
            built.Arguments.Append(arguments);
        }
    }

    /// <summary>Some endpoints send whole calls without index: a new id opens a new call, no id goes on with the last one.</summary>
    private int IndexWithoutNumber(string? id)
    {
        var known = _calls.FirstOrDefault(pair => id is not null && pair.Value.Id == id);
        return known.Value is not null ? known.Key : id is null && _calls.Count > 0 ? _calls.Keys.Last() : _calls.Count;
    }

    private static JsonElement? Member(JsonElement parent, string name, JsonValueKind kind) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == kind ? value : null;

    private static string? Text(JsonElement parent, string name) => Member(parent, name, JsonValueKind.String)?.GetString();

    private static long? Count(JsonElement parent, string name) =>
        Member(parent, name, JsonValueKind.Number) is { } number && number.TryGetInt32(out var count) && count >= 0 ? count : null;

    private sealed class Call
    {
        public string? Id { get; set; }

        public string? Name { get; set; }

        public StringBuilder Arguments { get; } = new();

        public ModelToolCall Build(int index) => new(
            Id ?? $"call_{index}", Name ?? throw new MalformedAnswerException("A tool call has no function name."), Arguments.ToString());
    }
}
