using Omium.Api.Http;
using Omium.Kernel.Executions;

namespace Omium.Api.Reviews;

/// <summary>
/// Questions that a policy has escalated to a role or team: what an operator does to the execution answers them, too (a retry approves, a rollback takes
/// back what was asked about), and is then held to the same rule as a decision.
/// </summary>
internal static class Escalations
{
    /// <summary>False when a command that concerns these visits would answer what was escalated to others than the caller, which was answered.</summary>
    public static async ValueTask<bool> TryAnswerAsync(ApiCall call, ExecutionState state, Func<VisitKey, bool> concerns)
    {
        var other = state.OpenReviews.Select(id => state.Reviews[id].Request)
            .FirstOrDefault(request => !call.Caller.Answers(request.Role) && concerns(new VisitKey(request.Step, request.Visit)));
        if (other is null)
        {
            return true;
        }

        await call.ProblemAsync("forbidden", $"This would answer review {other.Review}, which was escalated to '{other.Role}': they decide it, or an administrator.");
        return false;
    }
}
