using System.Globalization;
using System.Text.Json;
using Omium.Api.Executions;
using Omium.Contracts.Failures;
using Omium.Contracts.Reviews;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Ports;

namespace Omium.Api.Failures;

/// <summary>
/// What mended the same failure before: edits that a person made at a failure with the same fingerprint (workflow, step, class, code), after which the
/// step committed. Bounded: the newest failures of the class are looked at, and few executions are loaded.
/// </summary>
internal static class PastFixes
{
    private const int RowsMax = 200;
    private const int ExecutionsMax = 5;
    private const int FixesMax = 3;

    public static async Task<IReadOnlyList<SuggestedFix>> FindAsync(ApiServices services, string tenant, ExecutionState now, StepFailed failure, RecoveryPolicy policy, CancellationToken cancellation)
    {
        var query = new IndexQuery(tenant, IndexKinds.Failure) { Workflow = now.Workflow, FailureClass = failure.Class, Status = "resolved", Limit = RowsMax };
        var rows = (await services.Index.QueryAsync(query, cancellation)).Rows
            .Where(row => row.Step == failure.Step && row.Label == failure.Code && row.Execution != now.ExecutionId)
            .Select(row => (Row: row, Name: FailureName.Parse(row.Id))).Where(row => row.Name is not null)
            .DistinctBy(row => row.Row.Execution).Take(ExecutionsMax);
        var fixes = new List<SuggestedFix>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (row, name) in rows)
        {
            var cell = await services.Advancer.FindReadableAsync(new StreamId(tenant, row.Execution), cancellation);
            if (cell?.State is { } state && MendedBy(state, name!.Value) is { } review && Allows(policy, review.Decided!.Edits!)
                && seen.Add(Identity(review.Decided.Edits!)) && fixes.Count < FixesMax)
            {
                fixes.Add(Fix(state, review));
            }
        }

        return fixes;
    }

    /// <summary>The review of that failure if it was decided with an edit and the step committed afterwards.</summary>
    private static ReviewState? MendedBy(ExecutionState state, FailureName name)
    {
        var review = state.Reviews.Values.FirstOrDefault(asked =>
            asked.Request.Kind == "failure" && asked.Request.Step == name.Step && asked.Request.Visit == name.Visit && asked.Request.Attempt == name.Attempt);
        var mended = state.Visits.Values.Any(visit =>
            visit.Key.Step == name.Step && visit.Status == VisitStatus.Committed && (visit.Key.Visit > name.Visit || (visit.Key.Visit == name.Visit && visit.Attempt > name.Attempt)));
        return mended && review is { Decided: { Decision: "edit", Edits: not null } } ? review : null;
    }

    private static bool Allows(RecoveryPolicy policy, AgentEdit edit)
    {
        var allowed = policy.AllowedEdits.Except(policy.ForbiddenEdits).ToArray();
        return (edit.Prompt is null || allowed.Contains(EditKinds.Prompt)) && (edit.Constraints is null || allowed.Contains(EditKinds.Constraints))
            && (edit.Tools is null || allowed.Contains(EditKinds.ToolSelection));
    }

    private static string Identity(AgentEdit edit) =>
        JsonSerializer.Serialize(new AgentEdits(edit.Prompt, edit.Constraints, edit.Tools), Contracts.ContractJson.Default.AgentEdits);

    private static SuggestedFix Fix(ExecutionState state, ReviewState review)
    {
        var (decided, edit) = (review.Decided!, review.Decided!.Edits!);
        string[] parts = [.. new[] { edit.Prompt is null ? null : "the prompt", edit.Constraints is null ? null : "the constraints", edit.Tools is null ? null : "the tools" }.OfType<string>()];
        var note = decided.Note is { Length: > 0 } said ? $" Note: {said}" : "";
        return new SuggestedFix(
            "past", "What mended it before", string.Create(
                CultureInfo.InvariantCulture,
                $"{decided.By} changed {string.Join(" and ", parts)} in {state.ExecutionId} at {ExecutionViews.Time(review.DecidedMs):yyyy-MM-dd HH:mm} UTC, and the step committed.{note}"),
            new AgentEdits(edit.Prompt, edit.Constraints, edit.Tools));
    }
}
