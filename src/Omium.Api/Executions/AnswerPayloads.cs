using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Runtime.Executions;

namespace Omium.Api.Executions;

/// <summary>
/// Large values of an execution, put in place for an answer: at most so many bytes; what does not fit stays a reference
/// (<c>{"omium_ref", "size"}</c>), which says how large it is.
/// </summary>
internal sealed class AnswerPayloads
{
    private readonly Dictionary<string, JsonElement> _found = new(StringComparer.Ordinal);
    private long _room;

    private AnswerPayloads(long room) => _room = room;

    /// <summary>Nothing is put in place.</summary>
    public static AnswerPayloads None { get; } = new(0);

    /// <summary>What was loaded, by digest.</summary>
    public IReadOnlyDictionary<string, JsonElement> Found => _found;

    /// <summary>Everything a state shows.</summary>
    public static Task<AnswerPayloads> LoadAsync(ApiServices services, ExecutionCell cell, ExecutionState state, CancellationToken cancellation) =>
        LoadAsync(services, cell, ReferringOf(state), cancellation);

    /// <summary>What these values refer to, and what that refers to in turn.</summary>
    public static async Task<AnswerPayloads> LoadAsync(ApiServices services, ExecutionCell cell, IEnumerable<JsonElement> values, CancellationToken cancellation)
    {
        var payloads = new AnswerPayloads(services.Options.AnswerPayloadBytesMax);
        var open = new Queue<string>();
        foreach (var value in values)
        {
            foreach (var digest in PayloadResolver.References(value))
            {
                open.Enqueue(digest);
            }
        }

        while (open.TryDequeue(out var digest))
        {
            if (payloads._found.ContainsKey(digest) || await services.Advancer.ReadPayloadAsync(cell, digest, cancellation) is not { } bytes || bytes.Length > payloads._room)
            {
                continue;
            }

            payloads._room -= bytes.Length;
            var value = CanonicalJson.ParseTrusted(bytes);
            payloads._found[digest] = value;
            foreach (var inner in PayloadResolver.References(value))
            {
                open.Enqueue(inner);
            }
        }

        return payloads;
    }

    /// <summary>What was loaded, for the evaluation of checks.</summary>
    public DecisionValues ValuesFor(Kernel.Specs.WorkflowPlan plan)
    {
        var values = new DecisionValues(plan);
        foreach (var (digest, payload) in _found)
        {
            values.Payloads[digest] = payload;
        }

        return values;
    }

    /// <summary>The value as shown.</summary>
    public JsonElement Show(JsonElement value) => PayloadResolver.Replace(value, _found);

    /// <summary>The value as shown; null for none.</summary>
    public JsonElement? Show(JsonElement? value) => value is { ValueKind: not JsonValueKind.Undefined } given ? Show(given) : null;

    /// <summary>Everything that these visits show.</summary>
    public static Task<AnswerPayloads> LoadAsync(ApiServices services, ExecutionCell cell, IEnumerable<VisitState> visits, CancellationToken cancellation) =>
        LoadAsync(services, cell, Present(visits.SelectMany(ValuesOf)), cancellation);

    /// <summary>What an answer shows of a state and refers to something, in the order it is given room: most answers hold no such value at all.</summary>
    private static List<JsonElement> ReferringOf(ExecutionState state)
    {
        var referring = new List<JsonElement>();
        void Add(JsonElement? value)
        {
            if (value is { } given && PayloadResolver.MayRefer(given))
            {
                referring.Add(given);
            }
        }

        Add(state.Input);
        Add(state.Output);
        foreach (var visit in ExecutionViews.Newest(state).Reverse())
        {
            Add(visit.Input);
            Add(visit.Output);
            foreach (var call in visit.Calls)
            {
                Add(call.Arguments);
                Add(call.Result);
            }

            foreach (var (failure, _) in visit.Failures)
            {
                Add(failure.Output);
            }
        }

        foreach (var review in state.Reviews.Values)
        {
            Add(review.Request.Shown);
        }

        return referring;
    }

    /// <summary>The values that can refer to anything.</summary>
    public static IEnumerable<JsonElement> Present(IEnumerable<JsonElement?> values) =>
        values.Where(value => value is { ValueKind: JsonValueKind.Object or JsonValueKind.Array }).Select(value => value!.Value);

    /// <summary>Everything one visit shows.</summary>
    public static IEnumerable<JsonElement?> ValuesOf(VisitState visit) =>
    [
        visit.Input,
        visit.Output,
        .. visit.Calls.SelectMany(call => new JsonElement?[] { call.Arguments, call.Result }),
        .. visit.Failures.Select(failure => failure.Failure.Output),
    ];
}
