using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Runtime.Ports;
using Omium.Simulation.Outside;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Laws;

/// <summary>
/// One execution as its stored records tell it, read by a reader of its own: nothing here asks the kernel to decide or to fold. Each event is held
/// against the laws as it becomes durable; the first that breaks one is reported.
/// </summary>
internal sealed partial class Chronicle(StreamId stream, DrawnWorkflow workflow, World world, Func<JsonElement, JsonElement> resolve)
{
    private readonly Dictionary<VisitKey, VisitFacts> _visits = [];
    private readonly Dictionary<string, int> _latest = [];
    private readonly Dictionary<string, CallFacts> _calls = [];
    private readonly Dictionary<string, ReviewFacts> _reviews = [];
    private readonly HashSet<int> _owedNotifications = [];
    private readonly HashSet<string> _discarded = [];
    private RecordBody _record = null!;
    private int _commits;

    public StreamId Stream { get; } = stream;

    public DrawnWorkflow Workflow { get; private set; } = workflow;

    /// <summary>none, running, paused, rolling_back, succeeded, failed or cancelled.</summary>
    public string Status { get; private set; } = "none";

    public bool Ended => Status is "succeeded" or "failed" or "cancelled";

    /// <summary>Laws that were broken.</summary>
    public List<string> Broken { get; } = [];

    public IReadOnlyDictionary<VisitKey, VisitFacts> Visits => _visits;

    public IReadOnlyDictionary<string, CallFacts> Calls => _calls;

    public IReadOnlyDictionary<string, ReviewFacts> Reviews => _reviews;

    public IEnumerable<ReviewFacts> OpenReviews => _reviews.Values.Where(review => review.Decided is null);

    public IReadOnlyCollection<int> OwedNotifications => _owedNotifications;

    /// <summary>Notifications delivered outside.</summary>
    public Dictionary<(string Execution, int Number), int> Delivered { get; init; } = [];

    public long Records { get; private set; }

    /// <summary>True once a person was asked or somebody paused it.</summary>
    public bool NeededSomebody => Asked.Count > 0;

    /// <summary>What people were asked about.</summary>
    public List<string> Asked { get; } = [];

    public void Read(RecordBody record)
    {
        _record = record;
        Records++;
        for (var index = 0; index < record.Events.Count; index++)
        {
            Read(record.Events[index], index);
        }

        AfterRecord();
    }

    private void Read(ExecutionEvent happened, int index)
    {
        Law(Status != "none" || happened is ExecutionStarted, "the stream does not begin with execution.started");
        if (ReadChildren(happened))
        {
            return;
        }

        ForgetLeases(happened);

        switch (happened)
        {
            case ExecutionStarted:
                Law(Status == "none", "an execution started twice");
                Status = "running";
                break;
            case StepScheduled e:
                Scheduled(e, index);
                break;
            case StepSkipped e:
                Skipped(e);
                break;
            case ModelAnswered e:
                Answered(e);
                break;
            case CallRequested e:
                Requested(e);
                break;
            case CallRefused e:
                if (_calls.TryGetValue(e.Effect, out var refused))
                {
                    Law(refused.Happened == Happened.NotAsked, $"{e.Effect} was refused after its intent");
                    refused.Refused = true;
                }

                break;
            case IntentRecorded e:
                Intended(e);
                break;
            case IntentSettled e:
                Settled(e);
                break;
            case IntentInDoubt e:
                Doubted(e);
                break;
            case CallSettled e:
                Law(_calls[e.Effect] is { HasEffect: false }, $"{e.Effect} has an effect and was settled without an intent");
                CheckAnswer(_calls[e.Effect]);
                _calls[e.Effect].Happened = e.Failure is null ? Happened.Yes : Happened.No;
                break;
            case StepCommitted e:
                Committed(e);
                break;
            case CheckpointCommitted e:
                Visit(e.Step, e.Visit).Checkpoint = e.Name;
                break;
            case StepFailed e:
                Failed(e);
                break;
            case StepGivenUp e:
                GivenUp(e);
                break;
            case RetryScheduled e:
                Retrying(e);
                break;
            case AttemptStarted e:
                Law(Status == "running", $"{e.Step}~{e.Visit} began an attempt while {Status}");
                Visit(e.Step, e.Visit).BegunMs = record.AtMs;
                break;
            case LoopTriggered e:
                Looped(e);
                break;
            default:
                ReadOther(happened);
                break;
        }
    }

    private ExecutionCommand record => _record.Command;

    private void ReadOther(ExecutionEvent happened)
    {
        switch (happened)
        {
            case not null when ReadShared(happened) || ReadAgreement(happened) || ReadTraced(happened):
                break;
            case ItemsExpanded e:
                Expanded(e);
                break;
            case ExecutionMigrated e:
                Migrated(e);
                break;
            case RollbackPlanned { Scope: "item" } e:
                PlannedForItem(e);
                break;
            case RollbackPlanned e:
                Planned(e);
                break;
            case CompensationSettled e:
                Compensated(e);
                break;
            case ResidueRecorded { Reason: "state_conflict" }:
                break;
            case ResidueRecorded e:
                Law(!_calls[e.Effect].Residue, $"{e.Effect} became residue twice");
                _calls[e.Effect].Residue = true;
                GiveUpDeeds(e.Effect);
                break;
            case RollbackCompleted e:
                Completed(e);
                break;
            case ReviewRequested e:
                Asked.Add(e.Kind == "in_doubt" ? $"{e.Kind} {_calls[e.Effect!].Requested.Tool} {_record.Events.OfType<IntentInDoubt>().LastOrDefault()?.Reason}" : $"{e.Kind} {_record.Events.OfType<StepFailed>().LastOrDefault()?.Code}");
                Law(_reviews.TryAdd(e.Review, new ReviewFacts(e)), $"review {e.Review} was requested twice");
                break;
            case ReviewDecided e:
                Decided(e);
                break;
            case NotificationRequested e:
                Law(_owedNotifications.Add(e.Notification), $"notification {e.Notification} was requested twice");
                break;
            case NotificationSent e:
                Law(_owedNotifications.Remove(e.Notification), $"notification {e.Notification} was sent and nobody asked for it");
                Law(Delivered.ContainsKey((Stream.Id, e.Notification)), $"notification {e.Notification} is on record as sent and was never delivered");
                break;
            case NotificationFailed { RetryDueMs: null } e:
                Law(_owedNotifications.Remove(e.Notification), $"notification {e.Notification} was given up and nobody asked for it");
                break;
            case ReviewExpired e:
                Law(_reviews[e.Review].Decided is null, $"review {e.Review} expired after it was decided");
                Law(record.AtMs >= _reviews[e.Review].Requested.ExpiresMs, $"review {e.Review} expired before its time");
                _reviews[e.Review].Decided = new ReviewDecided(e.Review, "expired", "", null, null);
                break;
            case ResultDiscarded e:
                Law(_discarded.Add(e.Effect), $"the result of {e.Effect} was discarded twice");
                break;
            case ExecutionPaused e:
                Asked.Add($"paused {e.Reason}");
                Law(Status is "running" or "paused", $"paused while {Status}"); // A person may take over a pause of the policy's.
                Status = "paused";
                break;
            case ExecutionResumed:
                Law(Status is "paused" or "failed", $"resumed while {Status}");
                Reopen();
                Status = "running";
                break;
            case ExecutionSucceeded:
                Law(Status == "running", $"succeeded while {Status}");
                CheckNothingIsLeft();
                Status = "succeeded";
                break;
            case ExecutionFailed e:
                Law(Status == "running", $"failed while {Status}");
                var rejected = _reviews.Values.Any(review => review is { Requested.Kind: "handoff", Decided.Decision: "reject" } && review.Requested.Step == e.Step);
                Law(Visit(e.Step, e.Visit).Standing is Standing.Failed || (rejected && e.Class == "handoff_disputed"), $"the execution failed by {e.Step}~{e.Visit}, which has not failed");
                Status = "failed";
                break;
            case ExecutionCancelled:
                Law(!Ended, $"cancelled while {Status}");
                (Status, _wasCancelled) = ("cancelled", true);
                break;
        }
    }

    private void Decided(ReviewDecided e)
    {
        if (!_reviews.TryGetValue(e.Review, out var review))
        {
            Law(false, $"review {e.Review} was decided and never requested");
            return;
        }

        Law(review.Decided is null, $"review {e.Review} was decided twice: {review.Decided?.Decision}, then {e.Decision}");
        review.Decided = e;
        if (record is DecideReview decide && decide.Review == e.Review)
        {
            Law(review.Requested.Decisions.Contains(e.Decision), $"review {e.Review} does not take {e.Decision}");
            Law(decide.AtMs <= review.Requested.ExpiresMs, $"review {e.Review} was decided after its time");
            Law(decide.Digest == review.Requested.Digest, $"review {e.Review} was decided on something else than was shown");
        }

        if (review.Requested is { Kind: "call_approval", Effect: { } effect } && e.Decision == "approve")
        {
            _calls[effect].Approved = true;
        }
    }

    private VisitFacts Visit(string step, int visit) =>
        _visits.TryGetValue(new VisitKey(step, visit), out var facts) ? facts : throw new LawBrokenException($"{Stream.Id}: no visit {step}~{visit} is on record");

    private VisitFacts? StandingVisit(string step)
    {
        for (var visit = _latest.GetValueOrDefault(step); visit > 0; visit--)
        {
            if (_visits[new VisitKey(step, visit)] is { Standing: not Standing.TakenBack } facts)
            {
                return facts;
            }
        }

        return null;
    }

    private void Law(bool holds, string broken)
    {
        if (!holds)
        {
            Broken.Add($"{Stream.Id} record {Records} ({_record?.Command.Name}): {broken}");
        }
    }
}

/// <summary>A record speaks of something that is not on record: nothing after it can be told.</summary>
internal sealed class LawBrokenException(string message) : Exception(message);
