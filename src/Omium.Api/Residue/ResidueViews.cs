using System.Text.Json;
using Omium.Api.Executions;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;
using Omium.Runtime.Executions;

namespace Omium.Api.Residue;

/// <summary>Residue as answered.</summary>
internal static class ResidueViews
{
    /// <summary>The values of a call that are shown.</summary>
    public static IEnumerable<JsonElement> ValuesOf(CallState? call) =>
        new[] { call?.Arguments, call?.Result }.Where(value => value is { ValueKind: JsonValueKind.Object or JsonValueKind.Array }).Select(value => value!.Value);

    public static ResidueView View(ExecutionState state, ResidueState residue, CallState? call, AnswerPayloads payloads) => new()
    {
        Id = IndexProjector.ResidueId(state.ExecutionId, residue.Left.Effect),
        Status = residue.Resolved is null ? "open" : "resolved",
        At = ExecutionViews.Time(residue.AtMs),
        AcceptedBy = residue.Left.By,
        Resolved = residue.Resolved is { } resolved ? new ResidueResolution(resolved.By, ExecutionViews.Time(residue.ResolvedMs), resolved.Note) : null,
        Execution = state.ExecutionId,
        Workflow = state.Workflow,
        EffectId = $"{state.ExecutionId}/{residue.Left.Effect}",
        Step = IdOf(residue.Left.Effect).Step,
        Visit = IdOf(residue.Left.Effect).Visit,
        Tool = residue.Left.Tool,
        Arguments = payloads.Show(call?.Arguments),
        Result = payloads.Show(call?.Result),
        IdempotencyKey = call?.Key,
        Reason = residue.Left.Reason,
        Message = residue.Left.Message,
    };

    /// <summary>The call that was left; null for a shared value, which no call wrote.</summary>
    public static CallState? CallOf(ExecutionState state, string effect) => state.Visits[IdOf(effect).Key].Calls.Find(call => call.Id == IdOf(effect));

    private static EffectId IdOf(string effect) => EffectId.TryParse(effect, out var id) ? id : throw new CorruptLogException($"'{effect}' is no effect id");
}
