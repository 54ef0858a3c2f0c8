using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Effects.Limits;
using Omium.Runtime.Executions;

namespace Omium.Runtime.Effects;

/// <summary>What agreement needs from outside: verdicts of agents, and what tools see of a claim.</summary>
public sealed partial class EffectRunner
{
    private async ValueTask<AdvanceResult?> AskVerifierAsync(ExecutionCell cell, PendingEffect effect, EffectId id, VisitState visit, CallPermit permit, CancellationToken cancellation)
    {
        if (visit.Verifications.Find(known => known.Request.Attempt == id.Attempt) is not { } verification || id.Number > verification.Verifiers.Count)
        {
            return null;
        }

        var known = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var value in new[] { visit.Input, verification.Request.Value })
        {
            known[value.GetRawText()] = await advancer.MaterializeAsync(cell, value, cancellation);
        }

        var request = VerifierConversation.Build(cell.State, cell.Plan!, verification, id.Number - 1, value => known.GetValueOrDefault(value.GetRawText(), value));
        var refused = EffectLimits.Refusal(permit, effect.Kind);
        if (refused is null && Credits is not null && await Credits.TryReserveAsync(cell, effect.Id, request, cancellation) is { IsPaid: false } unpaid)
        {
            return unpaid.Waits;
        }

        var outcome = refused ?? await model.AnswerAsync(request, null, cancellation);
        EffectLimits.Report(permit, outcome);
        var recorded = await SettleAsync(cell, effect.Id, outcome, cancellation);
        Credits?.Charge(cell, effect.Id, outcome, recorded);
        return recorded;
    }

    private async ValueTask<AdvanceResult?> MeasureAsync(ExecutionCell cell, PendingEffect effect, CallPermit permit, CancellationToken cancellation)
    {
        if (!EffectId.TryParse(effect.Id, out var id) || cell.State.Handoffs.GetValueOrDefault(new HandoffKey(id.Number - 1, id.Key)) is not { } handoff
            || handoff.Claims[id.SubNumber - 1].Claim is not { Arguments: { } stored } claim)
        {
            return null;
        }

        var arguments = await advancer.MaterializeAsync(cell, stored, cancellation);
        var request = ToolRendering.TryRenderMeasurement(cell.State, new DecisionValues(cell.Plan!), claim, effect.Id, arguments, out var problem);
        var outcome = EffectLimits.Refusal(permit, effect.Kind) ?? (request is null
            ? new EffectOutcome { Failure = new EffectFailure(FailureClasses.ExpressionFailed, "request_template", problem ?? "the request cannot be rendered", Permanent: true) }
            : await tools.CallAsync(request, cancellation));
        EffectLimits.Report(permit, outcome);
        return await SettleAsync(cell, effect.Id, outcome, cancellation);
    }
}
