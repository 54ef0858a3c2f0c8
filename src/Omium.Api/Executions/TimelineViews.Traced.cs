using Omium.Kernel.Executions;

namespace Omium.Api.Executions;

/// <summary>What processes elsewhere did, in sentences.</summary>
internal sealed partial class TimelineViews
{
    private static Line? DescribeTraced(ExecutionEvent happened) => happened switch
    {
        TracedStepLeased { LeaseUntilMs: 0 } e => new("info", $"{e.Step} asked for by {e.Owner}", e.Step, e.Visit),
        TracedStepLeased e => new("info", e.Run == 1 ? $"{e.Step} runs in {e.Owner}" : $"{e.Step} runs again in {e.Owner}", e.Step, e.Visit),
        TracedLeasesRenewed e => new("info", $"{e.Owner} is alive", null, null),
        TracedLeaseLost e => new("warning", $"Nothing was heard of {e.Owner}", e.Step, e.Visit, e.Reason == "lost" ? "it is known to be gone" : "its lease is over; the next process that asks runs the step"),
        TracedUndoLeased e => new("info", $"Undone by {e.Owner}", EffectId.TryParse(e.Effect, out var id) ? id.Step : null, null),
        _ => null,
    };
}
