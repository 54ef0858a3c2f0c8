using Omium.Kernel.Executions;
using Omium.Simulation.Laws;
using Omium.Simulation.Outside;

using Omium.Simulation.Scheduling;

namespace Omium.Simulation.Running;

/// <summary>
/// People: they decide late, twice, and against each other; they pause, resume, cancel, roll back and retry in the worst moment. Asked whether
/// something happened outside they look, and say what they see.
/// </summary>
internal sealed class PeopleCrowd(Dice dice, World world, Weather weather, Tally tally, Func<long> clockMs)
{
    private readonly List<(Chronicle Chronicle, DecideReview Command)> _said = [];
    private readonly Dictionary<string, int> _approvals = [];
    private int _requests;

    /// <summary>How often people approve in the second phase what fails again; then they give it up.</summary>
    public int ApprovalsMax { get; set; } = 20;

    /// <summary>Something a person does in the first phase.</summary>
    public ExecutionCommand? Interfere(Chronicle chronicle)
    {
        var open = chronicle.OpenReviews.ToArray();
        var (kind, command) = dice.Below(open.Length > 0 ? 18 : 12) switch
        {
            (< 4 or > 11) when open.Length > 0 => ("decides", Answer(chronicle, open[dice.Below(open.Length)])),
            4 when _said.Count > 0 => ("decides late or twice", Again(chronicle)),
            5 => ("pauses", new PauseExecution(clockMs(), "ada", Request(), null)),
            6 or 7 => ("resumes", new ResumeExecution(clockMs(), "ada", Request())),
            8 => ("retries", new RetryExecution(clockMs(), "ada", Request(), dice.OneIn(2) ? null : Place(chronicle), null)),
            9 => ("rolls back", new RollBackExecution(clockMs(), "bob", Request(), Place(chronicle), dice.OneIn(2) ? "all" : "failure")),
            10 when dice.OneIn(6) => ("cancels", new CancelExecution(clockMs(), "bob", Request())),
            _ => ("", null as ExecutionCommand),
        };
        if (command is not null)
        {
            tally.Met($"person {kind}", chronicle.Status);
        }

        return command;
    }

    /// <summary>What somebody does so that the execution can go on; null when nobody is needed, or when it has to be waited for.</summary>
    public ExecutionCommand? Help(Chronicle chronicle)
    {
        if (chronicle.OpenReviews.FirstOrDefault(review => review.Requested.ExpiresMs < clockMs()) is { } expired && !chronicle.Ended)
        {
            tally.Met("person comes too late", expired.Requested.Kind);
            return dice.OneIn(2) ? Answer(chronicle, expired) : new CancelExecution(clockMs(), "ada", Request());
        }

        if (chronicle.OpenReviews.FirstOrDefault(review => !chronicle.Ended || review.Requested.Kind == "in_doubt") is { } open)
        {
            return Answer(chronicle, open);
        }

        return chronicle.Status == "paused" ? new ResumeExecution(clockMs(), "ada", Request()) : null;
    }

    private DecideReview? Answer(Chronicle chronicle, ReviewFacts review)
    {
        var request = review.Requested;
        string decision;
        if (request.Kind == "in_doubt")
        {
            var effect = $"{chronicle.Stream.Id}/{request.Effect}";
            if (world.UnderWay.GetValueOrDefault(effect) > 0)
            {
                return null; // Nobody can tell yet; who is asked waits and looks again.
            }

            decision = world.Stands(chronicle.Calls[request.Effect!].Requested.Key!) ? "done" : dice.OneIn(2) ? "redo" : "reject";
        }
        else if (weather.Healed)
        {
            var times = _approvals[chronicle.Stream.Id] = _approvals.GetValueOrDefault(chronicle.Stream.Id) + 1;
            decision = request.Kind is "failure" or "handoff" or "verification" && times > ApprovalsMax ? "reject" : request.Kind == "handoff" ? request.Decisions[0] : "approve";
        }
        else
        {
            decision = dice.OneIn(2) ? request.Decisions[0] : dice.Of(request.Decisions); // The first is to approve.
        }

        var output = decision is "override" or "done" ? System.Text.Json.JsonElement.Parse("""{"n": 5}""") : (System.Text.Json.JsonElement?)null;
        var edits = decision == "edit" ? new AgentEdit($"p{_requests++}", null, null) : null;
        var command = new DecideReview(clockMs(), request.Review, decision, request.Digest, dice.OneIn(2) ? "ada" : "bob", edits, output, dice.OneIn(3) ? "last" : null, null,
            AcceptResidue: decision == "rollback" && dice.OneIn(2));
        _said.Add((chronicle, command));
        return command;
    }

    /// <summary>What was said before, once more: by the same person, or something else by another.</summary>
    private DecideReview? Again(Chronicle chronicle)
    {
        var (about, command) = _said[dice.Below(_said.Count)];
        if (about != chronicle)
        {
            return null;
        }

        var request = chronicle.Reviews[command.Review].Requested;
        return request.Kind == "in_doubt" || dice.OneIn(2) ? command with { AtMs = clockMs() } : command with { AtMs = clockMs(), By = "eve", Decision = dice.Of(request.Decisions) };
    }

    /// <summary>
    /// A decision as somebody gives it who has another question of the same execution before him: what he saw is not what this one shows. Null when there
    /// is none, or when all show the same.
    /// </summary>
    public static DecideReview? OnAnother(Chronicle chronicle, DecideReview decision) =>
        chronicle.Reviews.Values.FirstOrDefault(other => other.Requested.Digest != decision.Digest) is { } seen
            ? decision with { Digest = seen.Requested.Digest, By = "eve" }
            : null;

    private string Place(Chronicle chronicle) => dice.Below(4) switch
    {
        0 => "start",
        1 => "last",
        _ => dice.Of(chronicle.Workflow.IsTraced ? chronicle.Workflow.Former : chronicle.Workflow.Steps).Id,
    };

    private string Request() => $"req_{++_requests}";
}
