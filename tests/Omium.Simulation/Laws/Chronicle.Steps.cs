using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Laws;

/// <summary>Laws of steps: joins wait for all their edges, nothing runs twice, nothing is committed that a guard forbids or that another attempt made.</summary>
internal sealed partial class Chronicle
{
    private void Scheduled(StepScheduled e, int index)
    {
        // A visit that was taken back can be concluded only as a copy, which fails or is overridden by a person in the same record.
        var isCopy = _record.Events.Skip(index + 1).FirstOrDefault() switch
        {
            StepFailed next => next.Step == e.Step && next.Visit == e.Visit && next.Final,
            StepCommitted next => next.Step == e.Step && next.Visit == e.Visit && next.By is not null,
            _ => false,
        };
        var standing = StandingVisit(e.Step);
        var isItem = ItemNames.IsItem(e.Step);
        Law(Workflow.IsTraced || Workflow.Steps.Any(step => step.Id == ItemNames.StepOf(e.Step)), $"{e.Step}~{e.Visit} was scheduled, and version {_version} has no such step");
        Law(e.Visit == _latest.GetValueOrDefault(e.Step) + 1, $"{e.Step}~{e.Visit} does not follow visit {_latest.GetValueOrDefault(e.Step)}");
        if (isItem)
        {
            ItemScheduled(e);
        }
        else if (!isCopy)
        {
            Law(Status == "running", $"{e.Step}~{e.Visit} was scheduled while {Status}");
            Law(standing is null or { Settled: true }, $"{e.Step}~{e.Visit} was scheduled while {standing?.Key} is at work");
            CheckJoin(e, standing);
        }

        foreach (var read in e.Reads ?? [])
        {
            Law(isCopy || Visit(read.Step, read.Visit).Standing == Standing.Committed, $"{e.Step}~{e.Visit} read {read}, which is not committed");
        }

        var visit = new VisitFacts(e.Step, e.Visit, e, _visits.Count + 1) { BegunMs = record.AtMs };
        visit.ParentAttempt = visit.Parent is { } parent ? Visit(parent.Step, parent.Visit).Attempt : 0;
        Add(visit);
    }

    private void CheckJoin(StepScheduled e, VisitFacts? standing)
    {
        var after = e.After ?? [];
        var loop = after.Count == 1 && StandingVisit(after[0].Step)?.Key == after[0]
            && Workflow.Edges.Any(edge => edge.IsLoop && edge.To == e.Step && edge.From == after[0].Step && edge.Holds(Visit(after[0].Step, after[0].Visit).Output));
        if (loop)
        {
            return;
        }

        Law(standing is null or { DetachedBy: not null }, $"{e.Step}~{e.Visit} was scheduled although {standing?.Key} stands and no loop came by");
        foreach (var edge in Workflow.Into(e.Step))
        {
            var source = StandingVisit(edge.From);
            Law(source is { Settled: true, DetachedBy: null }, $"{e.Step}~{e.Visit} was scheduled before {edge.From} was settled");
            if (source is { Settled: true } && IsTaken(edge, source) is { } taken)
            {
                if (taken && after.Contains(source.Key))
                {
                    CheckAgreed(e, edge, source);
                }

                var others = Workflow.Into(e.Step).Any(other => other != edge && other.From == edge.From && IsTaken(other, source) is not false);
                Law(taken == after.Contains(source.Key) || (!taken && others), $"{e.Step}~{e.Visit} says that the edge from {source.Key} was {(taken ? "not " : "")}taken");
            }
        }

        Law(after.Count > 0 || !Workflow.Into(e.Step).Any(), $"{e.Step}~{e.Visit} was scheduled though no edge to it was taken");
    }

    /// <summary>Whether a settled visit takes an edge, told without the kernel's expressions; null where this reader does not know.</summary>
    private static bool? IsTaken(DrawnEdge edge, VisitFacts source) => source.Standing switch
    {
        Standing.Committed => edge.On != "failure" && edge.Holds(source.Output),
        Standing.Failed => edge.On != "success",
        Standing.Skipped when source.SkippedByDecision => edge is { Above: null, Handoff: null } ? null : false,
        _ => false,
    };

    private void Skipped(StepSkipped e)
    {
        if (_visits.TryGetValue(new VisitKey(e.Step, e.Visit), out var visit))
        {
            Law(visit.Standing is Standing.Failing, $"{visit.Key} was skipped while {visit.Standing}");
        }
        else
        {
            if (e.Reason == "no_edge_taken")
            {
                foreach (var edge in Workflow.Into(e.Step))
                {
                    var source = StandingVisit(edge.From);
                    Law(source is { Settled: true, DetachedBy: null }, $"{e.Step} was skipped before {edge.From} was settled");
                    Law(source is null || IsTaken(edge, source) is not true, $"{e.Step} was skipped though the edge from {edge.From} was taken");
                }
            }

            visit = new VisitFacts(e.Step, e.Visit, null, _visits.Count + 1) { After = e.After ?? [] };
            Add(visit);
        }

        visit.Standing = Standing.Skipped;
        visit.SkippedByDecision = e.Reason != "no_edge_taken";
    }

    private void Add(VisitFacts visit)
    {
        _visits.Add(visit.Key, visit);
        _latest[visit.Step] = visit.Visit;
    }

    private void Answered(ModelAnswered e)
    {
        var visit = Visit(e.Step, e.Visit);
        Law(visit.Standing == Standing.Open && e.Attempt == visit.Attempt, $"an answer for {visit.Key} attempt {e.Attempt} was taken while it is {visit.Standing} at attempt {visit.Attempt}");
        Law(e.Turn == visit.Turns + 1, $"{visit.Key} has turn {e.Turn} after {visit.Turns}");
        Law(!visit.Calls.Any(call => call.Id.Attempt == visit.Attempt && call is { HasEffect: true, Unsettled: true }), $"{visit.Key} went on while a call was not settled");
        visit.Turns = e.Turn;
    }

    private void Committed(StepCommitted e)
    {
        var visit = Visit(e.Step, e.Visit);
        var output = resolve(e.Output);
        var step = Workflow.Step(e.Step)!;
        Law(visit.Standing == Standing.Open, $"{visit.Key} was committed while {visit.Standing}");
        Law(e.Attempt == visit.Attempt, $"{visit.Key} was committed by attempt {e.Attempt} during attempt {visit.Attempt}");
        Law(!visit.Calls.Any(call => call is { HasEffect: true, Unsettled: true }), $"{visit.Key} was committed while a call was not settled");
        if (Expands(visit.Key) && e.By is null)
        {
            CheckItems(visit, output);
        }

        Law(step.ForbiddenNumber is not { } forbidden || NumberOf(output) != forbidden, $"{visit.Key} was committed with n = {step.ForbiddenNumber}, which its guard forbids");
        Law(!step.TimedGuard || e.By is not null || Expands(visit.Key) || visit.BegunMs / 1_000 % 5 != 4, $"{visit.Key} was committed although its precondition did not hold");
        Law(Workflow.Edges.Where(edge => edge.IsLoop && edge.From == e.Step).All(edge => !edge.Holds(output) || _loops.GetValueOrDefault(edge) < edge.VisitsMax),
            $"{visit.Key} was committed although its loop is exhausted");
        if (step.Type == "human_approval")
        {
            Law(_reviews.Values.Any(review => review is { Requested.Kind: "approval", Decided.Decision: "approve" } && review.Requested.Step == e.Step && review.Requested.Visit == e.Visit) || ByPerson,
                $"{visit.Key} was committed and nobody approved it");
        }

        CheckVerified(visit, e, output);
        if (e.By is null)
        {
            CheckOrigin(visit, output);
        }

        (visit.Standing, visit.Output, visit.CommitOrder) = (Standing.Committed, output, ++_commits);
    }

    /// <summary>The tag in an output says which effect made it: it must be one of this attempt.</summary>
    private void CheckOrigin(VisitFacts visit, JsonElement output)
    {
        if (output.ValueKind != JsonValueKind.Object || !output.TryGetProperty("tag", out var tag) || Workflow.Step(visit.Step)!.Type == "decision")
        {
            return;
        }

        var effect = world.EffectOfTag.GetValueOrDefault(tag.GetString()!, "?");
        var prefix = $"{visit.Step}~{visit.Visit}~{visit.Attempt}~";
        Law(effect[(effect.IndexOf('/', StringComparison.Ordinal) + 1)..].StartsWith(prefix, StringComparison.Ordinal), $"{visit.Key} was committed by attempt {visit.Attempt} with what {effect} gave");
    }

    private void Failed(StepFailed e)
    {
        var visit = Visit(e.Step, e.Visit);
        Law(visit.Standing == Standing.Open && e.Attempt == visit.Attempt, $"{visit.Key} failed at attempt {e.Attempt} while {visit.Standing} at attempt {visit.Attempt}");
        visit.Standing = e.Final ? Standing.Failed : Standing.Failing;
        if (e.Final)
        {
            CheckUndone(visit);
        }
    }

    private void GivenUp(StepGivenUp e)
    {
        var visit = Visit(e.Step, e.Visit);
        Law(visit.Standing == Standing.Failing, $"{visit.Key} was given up while {visit.Standing}");
        visit.Standing = Standing.Failed;
        CheckUndone(visit);
    }

    private void Retrying(RetryScheduled e)
    {
        var visit = Visit(e.Step, e.Visit);
        Law(e.Attempt == visit.Attempt + 1, $"{visit.Key} has attempt {e.Attempt} after {visit.Attempt}");
        Law(visit.Standing == Standing.Failing || ByPerson || (record is TraceExecution && visit.Standing == Standing.Failed), $"{visit.Key} is tried again while {visit.Standing}");
        var stands = visit.Calls.Where(call => call.Id.Attempt == visit.Attempt && (call.MayStand || call.Residue));
        Law(ByPerson || stands.All(call => call is { Residue: false, Happened: Happened.Perhaps, Requested.Kind: Omium.Kernel.Specs.EffectKind.Idempotent }),
            $"{visit.Key} is tried again on top of {string.Join(", ", stands.Select(call => call.Id))}");
        if (Expands(visit.Key))
        {
            CheckItemsRetried(visit);
        }

        (visit.Standing, visit.Attempt, visit.Turns, visit.BegunMs) = (Standing.Open, e.Attempt, 0, record.AtMs);
    }

    private readonly Dictionary<DrawnEdge, int> _loops = [];

    private void Looped(LoopTriggered e)
    {
        var edge = Workflow.Edges.First(edge => edge.IsLoop);
        _loops[edge] = _loops.GetValueOrDefault(edge) + 1;
        Law(_loops[edge] <= edge.VisitsMax, $"the loop was taken {_loops[edge]} times, more than {edge.VisitsMax}");
        foreach (var step in e.Reset)
        {
            if (StandingVisit(step) is { DetachedBy: null } standing)
            {
                standing.DetachedBy = e.From;
            }
        }
    }

    /// <summary>Ended well: nothing is open, and nothing could still be scheduled.</summary>
    private void CheckNothingIsLeft()
    {
        foreach (var visit in _visits.Values)
        {
            Law(visit.Standing is not (Standing.Open or Standing.Failing), $"the execution succeeded while {visit.Key} is {visit.Standing}");
        }

        foreach (var step in Workflow.Steps.Where(step => StandingVisit(step.Id) is null or { DetachedBy: not null }))
        {
            var edges = Workflow.Into(step.Id).ToArray();
            var isLoopTargetOnly = edges.Length == 0 && Workflow.Edges.Any(edge => edge.IsLoop && edge.To == step.Id && edge.From != step.Id);
            Law(!edges.All(edge => StandingVisit(edge.From) is { Settled: true, DetachedBy: null }) || isLoopTargetOnly, $"the execution succeeded and step {step.Id} was forgotten");
        }
    }

    /// <summary>True when a person's command is being decided: a person may do what the engine by itself must not.</summary>
    private bool ByPerson => record is DecideReview or RetryExecution or ResumeExecution;

    private static double? NumberOf(JsonElement output) =>
        output.ValueKind == JsonValueKind.Object && output.TryGetProperty("n", out var n) && n.ValueKind == JsonValueKind.Number ? n.GetDouble() : null;
}
