using System.Text.Json;
using Omium.Api.Executions;
using Omium.Api.Reviews;
using Omium.Contracts.Failures;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Failures;

/// <summary>Failures as answered.</summary>
internal static class FailureViews
{
    public static FailureSummary Summary(IndexRow row) => new(
        row.Id, row.Execution, row.Workflow, row.Step, row.FailureClass, row.Label, row.Status, ExecutionViews.Time(row.CreatedUnixMs))
    {
        RecoveredBy = row.By.Length == 0 ? null : row.By, RecoveryMs = RecoveryMs(row),
    };

    private static long? RecoveryMs(IndexRow row) => row.EndedUnixMs == 0 ? null : row.EndedUnixMs - row.CreatedUnixMs;

    public static FailureView View(string id, string status, FailureStory story, ExecutionState now, WorkflowPlan plan, AnswerPayloads payloads, long nowMs)
    {
        var failure = story.Failure;
        var step = plan.Step(failure.Step)!;
        var failed = story.Visit(now);
        var values = new DecisionValues(plan);
        foreach (var (digest, payload) in payloads.Found)
        {
            values.Payloads[digest] = payload;
        }

        var agent = step.Agent is { } spec ? AgentConversation.Effective(spec, story.Before.Edits.GetValueOrDefault(spec.Id), null) : null;
        var checks = failure.Output is { } output && failure.Code != "malformed_answer" ? FixTrial.Checks(story.Before, values, failure.Step, output, story.AtMs) : [];
        var chain = RootCauses.Chain(story.Before, failed);
        var input = payloads.Show(failed.Input);
        return new FailureView
        {
            Id = id,
            Execution = now.ExecutionId,
            ExecutionStatus = ExecutionWords.StatusOf(now),
            Workflow = now.Workflow,
            Status = status,
            Failure = ExecutionViews.Failure(failure, story.AtMs),
            Group = FailureClasses.Groups.GetValueOrDefault(failure.Class, "operations"),
            Mode = MastModes.OfClass(failure.Class) is { } mode ? $"{mode.Id} {mode.Name}" : null,
            Actor = ExecutionViews.ActorOf(step),
            Input = input,
            Output = payloads.Show(failure.Output),
            Guards = [.. checks.Select(ReviewViews.Guard)],
            AutomaticActions = story.AutomaticActions,
            DependencyChain = [.. chain.Select(visit => Link(visit, failure, now, plan, payloads))],
            RootCause = story.Dispute is { } dispute ? RootCauses.OfDispute(dispute) : RootCauses.Find(story, chain, values, input, agent),
            SuggestedFixes = story.Dispute is null ? SuggestedFixes.For(failure, checks, agent, step, plan.Policy) : SuggestedFixes.ForDispute(story.Review?.Request.Decisions ?? []),
            Handoff = story.Dispute is { } shown && now.Handoffs.GetValueOrDefault(new HandoffKey(shown.Edge, new VisitKey(shown.Step, shown.Visit))) is { } handoff
                ? AgreementViews.Handoff(handoff, payloads) : null,
            Checkpoints = [.. now.Visits.Values.Where(visit => visit is { Status: VisitStatus.Committed, Checkpoint: not null }).OrderBy(visit => visit.CommitOrdinal)
                .Select(visit => new CheckpointView(visit.Checkpoint!, visit.Key.Step, visit.Key.Visit, ExecutionViews.Time(visit.SettledMs)))],
            Agent = agent is null ? null : new AgentView(agent.Id, agent.Role, agent.Goal, agent.Prompt, agent.Model, agent.Constraints, agent.Tools),
            Review = story.Review is { Decided: null, ExpiredMs: 0 } review ? ReviewViews.View(now, plan, review, payloads, nowMs) : null,
            DetectionToPausedMs = story.PausedMs is { } paused ? paused - story.AtMs : null,
        };
    }

    public static FailureExport Export(IndexRow row, string status, FailureStory story, ExecutionState now, AnswerPayloads payloads)
    {
        var failure = story.Failure;
        return new FailureExport(
            row.Id, now.Workflow, now.WorkflowVersion, failure.Step, failure.Class, failure.Code, failure.Message, failure.Expected, failure.Actual,
            payloads.Show((JsonElement?)story.Visit(now).Input), payloads.Show(failure.Output), story.Review is { } review ? ReviewViews.Decision(review) : null,
            status, ExecutionWords.StatusOf(now), ExecutionViews.Time(story.AtMs))
        {
            RecoveredBy = row.By.Length == 0 ? null : row.By, RecoveryMs = RecoveryMs(row),
        };
    }

    private static DependencyLink Link(VisitState visit, StepFailed failure, ExecutionState now, WorkflowPlan plan, AnswerPayloads payloads)
    {
        var isFailed = visit.Key == new VisitKey(failure.Step, failure.Visit);
        var status = isFailed ? "failed" : ExecutionViews.StatusOf(now, now.Visits.GetValueOrDefault(visit.Key) ?? visit);
        return new DependencyLink(
            visit.Key.Step, visit.Key.Visit, ExecutionViews.ActorOf(plan.Step(visit.Key.Step)), status, payloads.Show(isFailed ? failure.Output : visit.Output),
            [.. visit.Reads.Select(ExecutionViews.Reference)]);
    }
}
