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

    public static Command Approve()
    {
        var id = new Argument<string>("REVIEW|EXECUTION") { Description = "Id of a review, or of an execution that has one open review." };
        var prompt = new Option<string?>("--edit-prompt") { Description = "The agent's prompt from here on: a text, or @FILE.", HelpName = "TEXT|@FILE" };
        var constraints = new Option<string[]>("--constraint") { Description = "The agent's constraints from here on; repeat for several.", HelpName = "TEXT" };
        var decision = new Option<string?>("--decision") { Description = "approve, edit, override, rollback, skip, reject, done or redo. Default: edit with an edit, else approve.", HelpName = "WORD" };
        var output = new Option<string?>("--output") { Description = "With override and done: the output, as JSON or @FILE.", HelpName = "JSON|@FILE" };
        var proposal = new Option<string?>("--proposal") { Description = "Edit as it was proposed: p1, p2, ... (omium review shows them).", HelpName = "ID" };
        var note = new Option<string?>("--note") { Description = "Kept in the log.", HelpName = "TEXT" };
        var wait = new Option<bool>("--wait") { Description = "Then show the progress of the run." };
        var command = new ClientCommand("approve", "Decide a review.") { id, prompt, constraints, proposal, decision, output, note, wait };
        return command.Does(async (parsed, client, report, cancellation) =>
        {
            var review = await FindAsync(client, parsed.GetValue(id)!, cancellation);
            var edits = parsed.GetValue(prompt) is { } text || parsed.GetValue(constraints) is { Length: > 0 }
                ? new AgentEdits(
                    parsed.GetValue(prompt) is { } given ? await ClientCommand.TextOrFileAsync(given, cancellation) : null,
                    parsed.GetValue(constraints) is { Length: > 0 } all ? all : null)
                : null;
            if (parsed.GetValue(proposal) is { } named)
            {
                edits = edits is null ? Proposed(review, named) : throw new CommandFailedException(ExitCodes.Usage, "--proposal says what to edit: give no other edit with it.");
            }

            var value = parsed.GetValue(output) is { } json ? await ClientCommand.JsonOrFileAsync(json, "--output", cancellation) : (JsonElement?)null;
            var request = new DecideReviewRequest(parsed.GetValue(decision) ?? (edits is null ? "approve" : "edit"), review.Digest, edits, value, parsed.GetValue(note));
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
