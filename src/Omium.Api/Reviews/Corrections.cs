using Omium.Api.Access;
using Omium.Api.Http;
using Omium.Kernel.Executions;

namespace Omium.Api.Reviews;

/// <summary>
/// What somebody brings along to a run that has stopped at a question: edits of an agent, an input, an output of their own. The same question takes it
/// as a decision, so it is for whoever may decide that; whoever only runs things may let it run again as it stands. It holds for a retry and for a
/// fork that reaches outside, also when the question was answered with <c>reject</c>.
/// </summary>
internal static class Corrections
{
    /// <summary>False when a person is asked, or has said no, about what the caller wants to correct and may not decide, which was answered.</summary>
    public static async ValueTask<bool> TryAdmitAsync(ApiCall call, ExecutionState state)
    {
        var asked = state.Reviews.Values.OrderBy(review => review.RequestedMs).FirstOrDefault(review => StandsOrRefuses(state, review) && !MayDecide(call, review.Request))?.Request;
        if (asked is null)
        {
            return true;
        }

        var who = asked.Role is { } role && call.Caller.Scopes.HasFlag(Scopes.Decide) ? $"it was escalated to '{role}'" : "that takes the scope 'decide'";
        await call.ProblemAsync("forbidden", $"Review {asked.Review} asks what is to become of step '{asked.Step}'. To correct anything is to decide it, and {who}; a retry as it stands is open to you where nobody else was asked.");
        return false;
    }

    /// <summary>Ends of a question that nobody has answered with a yes: it was rejected, or what it was about was taken away from it.</summary>
    private static readonly string[] Unanswered = ["reject", "cancelled", "rolled_back", "migrated", "superseded"];

    /// <summary>True until somebody has answered, or the step has been got past: rolling back or cancelling what is asked about answers nothing.</summary>
    private static bool StandsOrRefuses(ExecutionState state, ReviewState review) =>
        review.Request.HaltsExecution && (review.Decided is null || Unanswered.Contains(review.Decided.Decision))
        && state.LatestVisit(review.Request.Step)?.Status != VisitStatus.Committed;

    private static bool MayDecide(ApiCall call, ReviewRequested asked) => call.Caller.Scopes.HasFlag(Scopes.Decide) && call.Caller.Answers(asked.Role);
}
