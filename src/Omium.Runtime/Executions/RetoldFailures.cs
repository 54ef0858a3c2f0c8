using Omium.Kernel.Executions;

namespace Omium.Runtime.Executions;

/// <summary>
/// Failures that the log says a second time. A failed visit that a rollback took back and that is then given up (a person rejects it, the policy ends
/// with <c>fail</c>) stays taken back; another visit holds the end, and says the same failure without having run (<see cref="StepFailed.Repeats"/>).
/// That is no failure of its own: it is listed, counted and linked to as the one that it repeats.
/// </summary>
public static class RetoldFailures
{
    /// <summary>The failure that this one repeats; itself when it is new.</summary>
    /// <param name="state">State of the execution with its visits in it.</param>
    /// <param name="failed">What the log says.</param>
    public static StepFailed FirstTold(ExecutionState state, StepFailed failed)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(failed);
        while (failed.Repeats is { } visit && state.Visits.GetValueOrDefault(new VisitKey(failed.Step, visit)) is { Failures: [.., var (earlier, _)] })
        {
            failed = earlier;
        }

        return failed;
    }
}
