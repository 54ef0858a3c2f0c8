using Omium.Kernel.Executions;

namespace Omium.Simulation.Laws;

/// <summary>Laws of traced steps: one process at a time, while the execution runs; what is recorded is not run again.</summary>
internal sealed partial class Chronicle
{
    private readonly Dictionary<VisitKey, (string Owner, long UntilMs, int Run)> _leases = [];
    private (string Effect, string Owner, long UntilMs)? _undoing;

    /// <summary>A new attempt, a doubt or an answer ends what a process held.</summary>
    private void ForgetLeases(ExecutionEvent happened)
    {
        switch (happened)
        {
            case RetryScheduled e:
                _leases.Remove(new VisitKey(e.Step, e.Visit));
                break;
            case IntentInDoubt e when EffectId.TryParse(e.Effect, out var id):
                _leases.Remove(id.Key);
                break;
            case CompensationSettled or RollbackPlanned:
                _undoing = null;
                break;
        }
    }

    /// <summary>True while a process has to undo what a rollback takes back.</summary>
    public bool OwesUndo => Workflow.IsTraced && _remaining.Count > 0;

    private bool ReadTraced(ExecutionEvent happened)
    {
        switch (happened)
        {
            case TracedStepLeased e:
                var visit = Visit(e.Step, e.Visit);
                Law(Status == "running" && visit.Standing == Standing.Open && visit.Attempt == e.Attempt, $"{visit.Key} was given to {e.Owner} while it is {visit.Standing} at attempt {visit.Attempt} and the execution {Status}");
                var before = _leases.GetValueOrDefault(visit.Key);
                Law(before.Owner is null || before.UntilMs <= record.AtMs, $"{visit.Key} was given to {e.Owner} while {before.Owner} has it");
                Law(e.Run >= before.Run, $"{visit.Key} has run {e.Run} after {before.Run}");
                _leases[visit.Key] = (e.Owner, e.LeaseUntilMs, e.Run);
                return true;
            case TracedLeasesRenewed e:
                foreach (var (key, lease) in _leases.Where(lease => lease.Value.Owner == e.Owner).ToArray())
                {
                    _leases[key] = lease with { UntilMs = e.LeaseUntilMs };
                }

                _undoing = _undoing is { } undoing && undoing.Owner == e.Owner ? undoing with { UntilMs = e.LeaseUntilMs } : _undoing;
                return true;
            case TracedLeaseLost e:
                _leases.Remove(new VisitKey(e.Step, e.Visit));
                return true;
            case TracedUndoLeased e:
                Law(_undoing is not { } other || other.UntilMs <= record.AtMs, $"{e.Effect} is undone by {e.Owner} while {_undoing?.Owner} does it");
                Law(RemainingOf(e.Effect).FirstOrDefault() == e.Effect && _calls[e.Effect].MayStand, $"{e.Effect} is to be undone and is {_calls[e.Effect].Happened}");
                _undoing = (e.Effect, e.Owner, e.LeaseUntilMs);
                return true;
            default:
                return false;
        }
    }
}
