using System.Text.Json;
using Omium.Api.Executions;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;

namespace Omium.Api.Residue;

/// <summary>The residue of an execution as answered.</summary>
internal static class ResidueViews
{
    /// <summary>What was left, oldest first, each with the call that it was.</summary>
    public static IReadOnlyList<(ResidueRecorded Left, CallState? Call)> CallsOf(ExecutionState state) => [.. state.Residue.Select(left => (left, CallOf(state, left.Effect)))];

    /// <summary>The values of these calls that are shown.</summary>
    public static IEnumerable<JsonElement> ValuesOf(IEnumerable<(ResidueRecorded Left, CallState? Call)> calls) =>
        calls.SelectMany(pair => new[] { pair.Call?.Arguments, pair.Call?.Result })
            .Where(value => value is { ValueKind: JsonValueKind.Object or JsonValueKind.Array }).Select(value => value!.Value);

    public static IReadOnlyList<ResidueView> Views(ExecutionState state, IEnumerable<(ResidueRecorded Left, CallState? Call)> calls, AnswerPayloads payloads) =>
        [.. calls.Select(pair => View(state, pair.Left, pair.Call, payloads))];

    private static ResidueView View(ExecutionState state, ResidueRecorded left, CallState? call, AnswerPayloads payloads) => new()
    {
        Execution = state.ExecutionId,
        Workflow = state.Workflow,
        EffectId = $"{state.ExecutionId}/{left.Effect}",
        Step = IdOf(left.Effect).Step,
        Visit = IdOf(left.Effect).Visit,
        Tool = left.Tool,
        Arguments = payloads.Show(call?.Arguments),
        Result = payloads.Show(call?.Result),
        IdempotencyKey = call?.Key,
        Reason = left.Reason,
        Message = left.Message,
    };

    /// <summary>The call that was left; null for a shared value, which no call wrote.</summary>
    private static CallState? CallOf(ExecutionState state, string effect) => state.Visits[IdOf(effect).Key].Calls.Find(call => call.Id == IdOf(effect));

    private static EffectId IdOf(string effect) => EffectId.TryParse(effect, out var id) ? id : throw new CorruptLogException($"'{effect}' is no effect id");
}
