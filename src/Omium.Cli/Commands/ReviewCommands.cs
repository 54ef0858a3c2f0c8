using System.CommandLine;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Contracts.Executions;
using Omium.Contracts.Reviews;

namespace Omium.Cli.Commands;

/// <summary><c>reviews</c> and <c>approve</c>.</summary>
internal static class ReviewCommands
{
    public static Command List()
    {
        var status = new Option<string>("--status") { Description = "open, decided or expired.", DefaultValueFactory = _ => "open", HelpName = "STATUS" };
        var command = new ClientCommand("reviews", "List what waits for a person.") { status };
        return command.Does(async (parsed, client, report, cancellation) =>
        {
            var answer = await client.GetAsync($"v1/reviews?status={Uri.EscapeDataString(parsed.GetValue(status)!)}", cancellation);
            report.Show(answer, () => Report.Table(
                ["REVIEW", "KIND", "WORKFLOW", "STEP", "EXECUTION", "DECISIONS", "SINCE"],
                [.. answer.GetProperty("items").Deserialize(ClientJson.Default.ListReviewView)!.Select(IReadOnlyList<string> (review) =>
                [
                    review.Id, review.Kind, review.Workflow, review.Step, review.Execution, string.Join(' ', review.Decisions), Report.Time(review.RequestedAt),
                ])],
                "Nothing waits for you."));
            return ExitCodes.Done;
        });
    }

    public static Command Show()
    {
        var id = new Argument<string>("REVIEW|EXECUTION") { Description = "Id of a review, or of an execution that has one open review." };
        return new ClientCommand("review", "Show what a person is asked, what may be decided, and what was proposed.") { id }.Does(async (parsed, client, report, cancellation) =>
        {
            var review = await FindAsync(client, parsed.GetValue(id)!, cancellation);
            var answer = await client.GetAsync($"v1/reviews/{Uri.EscapeDataString(review.Id)}", cancellation);
            report.Show(answer, () =>
            {
                JsonTable.Print(
                    answer, ("review", "id"), ("kind", "kind"), ("status", "status"), ("execution", "execution"), ("workflow", "workflow"), ("step", "step"), ("failure", "failure_id"),
                    ("decisions", "decisions"), ("edits of", "allowed_edits"), ("since", "requested_at"), ("until", "expires_at"), ("decided", "decided.decision"), ("by", "decided.by"));
                if (review.Shown is { } shown)
                {
                    Console.WriteLine(ClientJson.Print(shown));
                }

                foreach (var proposal in review.Proposals)
                {
                    Console.WriteLine($"{proposal.Id} of {proposal.By}: {proposal.Note}\n  {Report.Short(JsonSerializer.SerializeToElement(proposal.Edits, ClientJson.Default.AgentEdits), 400)}");
                }
            });
            return ExitCodes.Done;
        });
    }

    public static Command Test()
    {
        var id = new Argument<string>("REVIEW|EXECUTION") { Description = "Id of a failure's review, or of an execution that has one open review." };
        var prompt = new Option<string?>("--edit-prompt") { Description = "The agent's prompt: a text, or @FILE.", HelpName = "TEXT|@FILE" };
        var constraints = new Option<string[]>("--constraint") { Description = "The agent's constraints; repeat for several.", HelpName = "TEXT" };
        var tools = new Option<string[]>("--tool") { Description = "The agent's tools; repeat for several.", HelpName = "NAME" };
        var command = new ClientCommand("test-fix", "Run the failed step beside the execution with an edit; exit code 1 when its checks do not hold.") { id, prompt, constraints, tools };
        return command.Does(async (parsed, client, report, cancellation) =>
        {
            var edits = await EditsAsync(parsed.GetValue(prompt), parsed.GetValue(constraints), parsed.GetValue(tools), cancellation)
                ?? throw new CommandFailedException(ExitCodes.Usage, "say what to edit: --edit-prompt, --constraint or --tool.");
            var review = await FindAsync(client, parsed.GetValue(id)!, cancellation);
            var answer = await client.PostAsync($"v1/reviews/{Uri.EscapeDataString(review.Id)}/test", new TestFixRequest(edits), ClientJson.Default.TestFixRequest, cancellation);
            report.Show(answer, () =>
            {
                JsonTable.Print(answer, ("outcome", "outcome"), ("problem", "problem"), ("output", "output"));
                JsonTable.Print(answer.GetProperty("guards"), "", ("CHECK", "check"), ("HOLDS", "passed"), ("SEEN", "actual"));
            });
            return answer.GetProperty("outcome").GetString() == "passed" ? ExitCodes.Done : ExitCodes.Error;
        });
    }

    public static Command Approve()
    {
        var id = new Argument<string>("REVIEW|EXECUTION") { Description = "Id of a review, or of an execution that has one open review." };
        var prompt = new Option<string?>("--edit-prompt") { Description = "The agent's prompt from here on: a text, or @FILE.", HelpName = "TEXT|@FILE" };
        var constraints = new Option<string[]>("--constraint") { Description = "The agent's constraints from here on; repeat for several.", HelpName = "TEXT" };
        var tools = new Option<string[]>("--tool") { Description = "The agent's tools from here on; repeat for several.", HelpName = "NAME" };
        var to = new Option<string?>("--to") { Description = "With rollback: the checkpoint to go back to. Default: everything is taken back.", HelpName = "CHECKPOINT" };
        var decision = new Option<string?>("--decision")
        {
            Description = "One that the review takes (omium review shows them): approve, edit, override, rollback, accept_residue, skip, reject, done, redo or repeat. Default: edit with an edit, else approve.",
            HelpName = "WORD",
        };
        var output = new Option<string?>("--output") { Description = "With override and done: the output, as JSON or @FILE.", HelpName = "JSON|@FILE" };
        var proposal = new Option<string?>("--proposal") { Description = "Edit as it was proposed: p1, p2, ... (omium review shows them).", HelpName = "ID" };
        var accept = new Option<bool>("--accept-residue") { Description = "With rollback: effects that nothing can undo stay, on the residue ledger under your name." };
        var note = new Option<string?>("--note") { Description = "Kept in the log.", HelpName = "TEXT" };
        var wait = new Option<bool>("--wait") { Description = "Then show the progress of the run." };
        var command = new ClientCommand("approve", "Decide a review.") { id, prompt, constraints, tools, proposal, decision, output, to, accept, note, wait };
        return command.Does(async (parsed, client, report, cancellation) =>
        {
            var review = await FindAsync(client, parsed.GetValue(id)!, cancellation);
            var edits = await EditsAsync(parsed.GetValue(prompt), parsed.GetValue(constraints), parsed.GetValue(tools), cancellation);
            if (parsed.GetValue(proposal) is { } named)
            {
                edits = edits is null ? Proposed(review, named) : throw new CommandFailedException(ExitCodes.Usage, "--proposal says what to edit: give no other edit with it.");
            }

            var value = parsed.GetValue(output) is { } json ? await ClientCommand.JsonOrFileAsync(json, "--output", cancellation) : (JsonElement?)null;
            var request = new DecideReviewRequest(parsed.GetValue(decision) ?? (edits is null ? "approve" : "edit"), review.Digest, edits, value, parsed.GetValue(note), parsed.GetValue(to),
                parsed.GetValue(accept) ? true : null);
            var seen = parsed.GetValue(wait) ? await SeqAsync(client, review.Execution, cancellation) : 0;
            var answer = await client.PostAsync(
                $"v1/reviews/{Uri.EscapeDataString(review.Id)}/decide", request, ClientJson.Default.DecideReviewRequest, cancellation);
            if (parsed.GetValue(wait))
            {
                return await new Progress(client, report, review.Execution, seen).FollowAsync(cancellation);
            }

            report.Show(answer, () => Console.WriteLine($"{review.Id}: {request.Decision}. {review.Execution} goes on; see `omium show {review.Execution}`."));
            return ExitCodes.Done;
        });
    }

    private static async Task<AgentEdits?> EditsAsync(string? prompt, string[]? constraints, string[]? tools, CancellationToken cancellation) =>
        prompt is null && constraints is not { Length: > 0 } && tools is not { Length: > 0 }
            ? null
            : new AgentEdits(
                prompt is null ? null : await ClientCommand.TextOrFileAsync(prompt, cancellation), constraints is { Length: > 0 } rules ? rules : null, tools is { Length: > 0 } names ? names : null);

    private static AgentEdits Proposed(ReviewView review, string proposal) => review.Proposals.FirstOrDefault(made => made.Id == proposal)?.Edits
        ?? throw new CommandFailedException(
            ExitCodes.Error, $"{review.Id} has no proposal {proposal}; it has {(review.Proposals.Count == 0 ? "none" : string.Join(", ", review.Proposals.Select(made => made.Id)))}.");

    private static async Task<long> SeqAsync(ApiClient client, string execution, CancellationToken cancellation) =>
        (await client.GetAsync($"v1/executions/{Uri.EscapeDataString(execution)}", cancellation)).GetProperty("seq").GetInt64();

    private static async Task<ReviewView> FindAsync(ApiClient client, string id, CancellationToken cancellation)
    {
        if (id.StartsWith("exe_", StringComparison.Ordinal) && !id.Contains("rev_", StringComparison.Ordinal))
        {
            var execution = (await client.GetAsync($"v1/executions/{Uri.EscapeDataString(id)}", cancellation)).Deserialize(ClientJson.Default.ExecutionView)!;
            id = OnlyReview(execution);
        }

        return (await client.GetAsync($"v1/reviews/{Uri.EscapeDataString(id)}", cancellation)).Deserialize(ClientJson.Default.ReviewView)!;
    }

    private static string OnlyReview(ExecutionView execution) => execution.OpenReviews switch
    {
        [var one] => one,
        [] => throw new CommandFailedException(ExitCodes.Error, $"{execution.Id} is {execution.Status} and has no open review."),
        var several => throw new CommandFailedException(ExitCodes.Usage, $"{execution.Id} has {several.Count} open reviews; name one: {string.Join(", ", several)}"),
    };
}
