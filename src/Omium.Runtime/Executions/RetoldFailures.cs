using Omium.Kernel.Executions;

namespace Omium.Runtime.Executions;

/// <summary>
/// Failures that the log says a second time. A failed visit that a rollback took back and that is then given up (a person rejects it, the policy ends
/// with <c>fail</c>) stays taken back; another visit holds the end, and it fails in the record that schedules it, without having run, with the same
/// words. That is no failure of its own: it is listed, counted and linked to as the one that it repeats.
/// </summary>
public static class RetoldFailures
{
    /// <summary>The failure that this one repeats; itself when it is new.</summary>
    /// <param name="state">State of the execution with its visit in it.</param>
    /// <param name="failed">What the log says.</param>
    /// <param name="atMs">When it says so, Unix ms.</param>
    public static StepFailed FirstTold(ExecutionState state, StepFailed failed, long atMs)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(failed);
        while (Repeated(state, failed, atMs) is var (earlier, earlierMs))
        {
            (failed, atMs) = (earlier, earlierMs);
        }

        return failed;
    }

    /// <summary>True when another failure says the same of an earlier visit.</summary>
    public static bool IsRetold(ExecutionState state, StepFailed failed, long atMs) => Repeated(state, failed, atMs) is not null;

    private static (StepFailed Failure, long AtMs)? Repeated(ExecutionState state, StepFailed failed, long atMs)
    {
        var ranNothing = failed is { Final: true, Attempt: 1, InputTokens: 0, OutputTokens: 0 }
            && state.Visits.GetValueOrDefault(new VisitKey(failed.Step, failed.Visit)) is { Calls.IsEmpty: true, GuardsFailed.IsEmpty: true, Failures.Count: <= 1 } visit
            && visit.ScheduledMs == atMs;
        for (var number = failed.Visit - 1; ranNothing && number > 0; number--)
        {
            if (state.Visits.GetValueOrDefault(new VisitKey(failed.Step, number)) is { Status: VisitStatus.RolledBack, Failures: { Count: > 0 } failures })
            {
                var (last, _) = failures[^1];
                return (last.Class, last.Code, last.Message, last.Fingerprint) == (failed.Class, failed.Code, failed.Message, failed.Fingerprint) ? failures[^1] : null;
            }
        }

        return null;
    }
}
