using Omium.Api.Executions;
using Omium.Contracts.Policies;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Policies;

/// <summary>
/// Asks a policy about the failures on record: each execution is folded up to its failures, and the kernel's own decision is made under the policy on
/// trial, in the state just before each. Work is bounded: at most 200 failures, and no further one once <see cref="RecordsMax"/> records were folded;
/// the answer's cursor goes on from there.
/// </summary>
internal sealed class PolicyDryRun(ApiServices services, string tenant, RecoveryPolicy policy)
{
    /// <summary>Records folded after which no further execution is begun.</summary>
    public const int RecordsMax = 50_000;

    private const int LimitDefault = 100, PageRows = 10, ActionsMax = 20;

    // What Omium did by itself after a failure; a person's command ends the list.
    private static readonly string[] AutomaticKinds =
    [
        "rule.applied", "rollback.withheld", "rollback.completed", "residue.recorded", "execution.paused", "notification.requested", "review.requested", "retry.scheduled",
        "agent.substituted", "step.skipped", "step.given_up", "execution.failed",
    ];

    private static readonly string[] PersonsCommands = ["decide_review", "pause", "resume", "cancel", "rollback", "retry"];
    private readonly Dictionary<string, Dictionary<string, Judged>> _executions = [];
    private int _records;

    public async Task<DryRunView> RunAsync(DryRunRequest request, CancellationToken cancellation)
    {
        var items = new List<DryRunItem>();
        var limit = request.Limit ?? LimitDefault;
        var cursor = request.Cursor;
        do
        {
            var page = await services.Index.QueryAsync(
                new IndexQuery(tenant, IndexKinds.Failure)
                {
                    Workflow = request.Workflow, FromUnixMs = request.From?.ToUnixTimeMilliseconds(), ToUnixMs = request.To?.ToUnixTimeMilliseconds(),
                    Limit = Math.Min(PageRows, limit - items.Count), Cursor = cursor,
                },
                cancellation);
            foreach (var row in page.Rows)
            {
                if (await services.Advancer.FindReadableAsync(new StreamId(tenant, row.Execution), cancellation) is { } cell && (await JudgedAsync(cell)).GetValueOrDefault(row.Id) is { } judged)
                {
                    items.Add(Item(row, cell, judged));
                }
            }

            cursor = page.NextCursor;
        }
        while (cursor is not null && items.Count < limit && _records < RecordsMax);
        return new DryRunView(items.Count(item => item.Caught), items.Count, items, cursor);
    }

    private static DryRunItem Item(IndexRow row, ExecutionCell cell, Judged judged)
    {
        var review = cell.State.Reviews.Values.OrderByDescending(asked => asked.DecidedMs).FirstOrDefault(asked => asked is { Request.Kind: "failure", Decided: not null }
            && FailureLedger.FailureId(row.Execution, asked.Request.Step, asked.Request.Visit, asked.Request.Attempt) == row.Id);
        var verdict = judged.Verdict;
        return new DryRunItem(
            row.Id, row.Execution, row.Workflow, row.Step, row.FailureClass, row.Label, ExecutionViews.Time(row.CreatedUnixMs), verdict.Catches, verdict.By, verdict.Rule + 1,
            [.. verdict.Actions.Select(action => action.Argument is null ? action.Kind : $"{action.Kind}: {action.Argument}")], judged.Was, review?.Decided!.Decision,
            ExecutionWords.StatusOf(cell.State));
    }

    /// <summary>Every failure of an execution under the policy, by failure id; folded once.</summary>
    private async Task<Dictionary<string, Judged>> JudgedAsync(ExecutionCell cell)
    {
        if (_executions.TryGetValue(cell.Stream.Id, out var known))
        {
            return known;
        }

        var judged = _executions[cell.Stream.Id] = [];
        if (PolicyTrial.Under(cell.Plan!, policy, out _) is not { } plan)
        {
            return judged; // What compiled alone compiles here: the conditions are the policy's, not the workflow's.
        }

        var payloads = await AnswerPayloads.LoadAsync(services, cell, cell.State, CancellationToken.None);
        var values = new DecisionValues(plan);
        foreach (var (digest, payload) in payloads.Found)
        {
            values.Payloads[digest] = payload;
        }

        await FoldAsync(cell, values, judged);
        return judged;
    }

    private async Task FoldAsync(ExecutionCell cell, DecisionValues values, Dictionary<string, Judged> judged)
    {
        var timeline = new TimelineViews();
        var (state, uses, open) = (ExecutionState.Empty, new Dictionary<int, int>(), new List<Judged>());
        await foreach (var (record, body) in ExecutionHistory.ReadAsync(services, cell.Stream))
        {
            _records++;
            var lines = timeline.Lines(record, body);
            if (PersonsCommands.Contains(record.Command))
            {
                open.Clear();
            }

            for (var index = 0; index < body.Events.Count; index++)
            {
                if (body.Events[index] is StepFailed { Repeats: null } failed)
                {
                    var verdict = PolicyTrial.Judge(state, values, failed, uses, record.AtUnixMs);
                    if (verdict.Rule is { } rule)
                    {
                        uses[rule] = uses.GetValueOrDefault(rule) + 1;
                    }

                    var one = judged[FailureLedger.FailureId(cell.Stream.Id, failed.Step, failed.Visit, failed.Attempt)] = new Judged(verdict, []);
                    open.Add(one);
                }
                else if (AutomaticKinds.Contains(lines[index].Kind) && open.Count > 0 && open[^1].Was.Count < ActionsMax)
                {
                    open[^1].Was.Add(lines[index].Title);
                }

                state = ExecutionKernel.Evolve(state, body.Events[index], body.Command.AtMs);
            }
        }
    }

    private sealed record Judged(PolicyVerdict Verdict, List<string> Was);
}
