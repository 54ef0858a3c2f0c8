using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Contracts.Executions;

namespace Omium.Cli.Commands;

/// <summary><c>run</c>, <c>executions</c>, <c>show</c>, <c>rollback</c>, <c>retry</c>, <c>replay</c>.</summary>
internal static class ExecutionCommands
{
    public static Command Run()
    {
        var workflow = new Argument<string>("WORKFLOW") { Description = "Name of a saved workflow." };
        var input = new Option<string?>("--input") { Description = "Input as JSON, or @FILE.", HelpName = "JSON|@FILE" };
        var version = new Option<int?>("--version") { Description = "Saved version; default the newest.", HelpName = "N" };
        var startKey = new Option<string?>("--start-key") { Description = "Starts once, however often it is sent.", HelpName = "TEXT" };
        var wait = new Option<bool>("--wait") { Description = "Show the progress; end when the run has ended or waits for a person." };
        var command = new ClientCommand("run", "Start a workflow.") { workflow, input, version, startKey, wait };
        return command.Does(async (parsed, client, report, cancellation) =>
        {
            var given = parsed.GetValue(input) is { } text ? await ClientCommand.JsonOrFileAsync(text, "--input", cancellation) : (JsonElement?)null;
            var request = new StartExecutionRequest(parsed.GetValue(workflow)!, parsed.GetValue(version), given, parsed.GetValue(startKey));
            var answer = await client.PostAsync("v1/executions", request, ClientJson.Default.StartExecutionRequest, cancellation);
            var id = answer.GetProperty("id").GetString()!;
            if (!parsed.GetValue(wait))
            {
                report.Show(answer, () => Console.WriteLine(id));
                return ExitCodes.Done;
            }

            return await new Progress(client, report, id).FollowAsync(cancellation);
        });
    }

    public static Command List()
    {
        var status = new Option<string?>("--status") { Description = "queued, running, waiting, paused, rolling_back, succeeded, failed or cancelled.", HelpName = "STATUS" };
        var workflow = new Option<string?>("--workflow") { Description = "Only this workflow's.", HelpName = "NAME" };
        var limit = new Option<int>("--limit") { Description = "How many, newest first.", DefaultValueFactory = _ => 50, HelpName = "N" };
        var command = new ClientCommand("executions", "List executions, newest first.") { status, workflow, limit };
        return command.Does(async (parsed, client, report, cancellation) =>
        {
            var query = string.Create(CultureInfo.InvariantCulture, $"v1/executions?limit={parsed.GetValue(limit)}");
            query += parsed.GetValue(status) is { } wanted ? $"&status={Uri.EscapeDataString(wanted)}" : "";
            query += parsed.GetValue(workflow) is { } name ? $"&workflow={Uri.EscapeDataString(name)}" : "";
            var answer = await client.GetAsync(query, cancellation);
            report.Show(answer, () => Report.Table(
                ["ID", "WORKFLOW", "VERSION", "STATUS", "FAILURE", "STARTED", "ENDED"],
                [.. answer.GetProperty("items").Deserialize(ClientJson.Default.ListExecutionSummary)!.Select(IReadOnlyList<string> (row) =>
                [
                    row.Id, row.Workflow, row.WorkflowVersion.ToString(CultureInfo.InvariantCulture), row.Status, row.FailureClass ?? "",
                    Report.Time(row.CreatedAt), Report.Time(row.EndedAt),
                ])],
                "No executions. Start one with `omium run WORKFLOW`."));
            return ExitCodes.Done;
        });
    }

    public static Command Show()
    {
        var id = Id();
        var command = new ClientCommand("show", "Show one execution: its steps, its failure, what it waits for.") { id };
        return command.Does(async (parsed, client, report, cancellation) =>
        {
            var answer = await client.GetAsync($"v1/executions/{Uri.EscapeDataString(parsed.GetValue(id)!)}", cancellation);
            report.Show(answer, () => ExecutionReport.Print(answer.Deserialize(ClientJson.Default.ExecutionView)!));
            return ExitCodes.Done;
        });
    }

    public static Command Rollback()
    {
        var id = Id();
        var to = new Option<string>("--to") { Description = "Checkpoint or step to go back to.", Required = true, HelpName = "X" };
        var scope = new Option<string?>("--scope") { Description = "failure (default) or all.", HelpName = "SCOPE" };
        var preview = new Option<bool>("--preview") { Description = "Only show what would be taken back." };
        var accept = new Option<bool>("--accept-residue") { Description = "Effects that nothing can undo stay, on the residue ledger under your name." };
        var steps = new Option<string[]>("--step") { Description = "Only these of the steps it would take back; repeat for several.", HelpName = "STEP" };
        var command = new ClientCommand("rollback", "Take back what a failure touched.") { id, to, scope, preview, accept, steps };
        return command.Does(async (parsed, client, report, cancellation) =>
        {
            var request = new RollbackRequest(
                parsed.GetValue(to)!, parsed.GetValue(scope), parsed.GetValue(preview), parsed.GetValue(accept) ? true : null, parsed.GetValue(steps) is { Length: > 0 } only ? only : null);
            var answer = await client.PostAsync(
                $"v1/executions/{Uri.EscapeDataString(parsed.GetValue(id)!)}/rollback", request, ClientJson.Default.RollbackRequest, cancellation);
            report.Show(answer, () => ExecutionReport.Print(answer.Deserialize(ClientJson.Default.RollbackView)!));
            return ExitCodes.Done;
        });
    }

    public static Command Retry()
    {
        var id = Id();
        var from = new Option<string?>("--from") { Description = "Checkpoint or step to begin with; default where it failed.", HelpName = "X" };
        var wait = new Option<bool>("--wait") { Description = "Show the progress; end when the run has ended or waits for a person." };
        var command = new ClientCommand("retry", "Run a failed execution again from where it failed.") { id, from, wait };
        return command.Does(async (parsed, client, report, cancellation) =>
        {
            var execution = parsed.GetValue(id)!;
            var answer = await client.PostAsync(
                $"v1/executions/{Uri.EscapeDataString(execution)}/retry", new RetryRequest(parsed.GetValue(from)), ClientJson.Default.RetryRequest, cancellation);
            if (parsed.GetValue(wait))
            {
                return await new Progress(client, report, execution).FollowAsync(cancellation);
            }

            report.Show(answer, () => Console.WriteLine($"{execution} goes on. Follow it with `omium show {execution}`."));
            return ExitCodes.Done;
        });
    }

    public static Command Replay()
    {
        var id = Id();
        var at = new Option<long?>("--at") { Description = "Show the state after record N.", HelpName = "N" };
        var verify = new Option<bool>("--verify") { Description = "Prove that the log is what was decided; exit code 1 when it is not." };
        var all = new Option<bool>("--all") { Description = "Prove every stored history against this kernel; exit code 1 when one is corrupt." };
        var workflow = new Option<string?>("--workflow") { Description = "With --all: only this workflow's.", HelpName = "NAME" };
        id.Arity = ArgumentArity.ZeroOrOne;
        var command = new ClientCommand("replay", "Look at what happened, record by record. Nothing runs again.") { id, at, verify, all, workflow };
        command.Validators.Add(given =>
        {
            if (given.GetValue(all) == (given.GetValue(id) is not null))
            {
                given.AddError("Name an execution, or say --all.");
            }
        });
        return command.Does((parsed, client, report, cancellation) =>
        {
            if (parsed.GetValue(all))
            {
                return new VerifyAll(client, report).RunAsync(parsed.GetValue(workflow), cancellation);
            }

            var path = $"v1/executions/{Uri.EscapeDataString(parsed.GetValue(id)!)}";
            return parsed.GetValue(verify) ? VerifyAsync(client, report, path, cancellation)
                : parsed.GetValue(at) is { } record ? ShowStateAsync(client, report, path, record, cancellation)
                : ShowTimelineAsync(client, report, path, cancellation);
        });
    }

    /// <summary>The same as <c>replay ID --verify</c>, under the name it has in the API.</summary>
    public static Command Verify()
    {
        var id = Id();
        return new ClientCommand("verify", "Prove that an execution's log is what was decided; exit code 1 when it is not.") { id }.Does(
            (parsed, client, report, cancellation) => VerifyAsync(client, report, $"v1/executions/{Uri.EscapeDataString(parsed.GetValue(id)!)}", cancellation));
    }

    private static async Task<int> VerifyAsync(ApiClient client, Report report, string path, CancellationToken cancellation)
    {
        var answer = await client.GetAsync($"{path}/verify", cancellation);
        var verdict = answer.Deserialize(ClientJson.Default.VerifyView)!;
        report.Show(answer, () => Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{verdict.Verdict}, {verdict.Records} records{(verdict.Detail is { } detail ? $": {detail}" : "")}")));
        return verdict.Verdict == "corrupt" ? ExitCodes.Error : ExitCodes.Done;
    }

    private static async Task<int> ShowStateAsync(ApiClient client, Report report, string path, long record, CancellationToken cancellation)
    {
        var answer = await client.GetAsync(string.Create(CultureInfo.InvariantCulture, $"{path}/state?at={record}"), cancellation);
        report.Show(answer, () => ExecutionReport.Print(answer.Deserialize(ClientJson.Default.ExecutionView)!));
        return ExitCodes.Done;
    }

    private static async Task<int> ShowTimelineAsync(ApiClient client, Report report, string path, CancellationToken cancellation)
    {
        var answer = await client.GetAsync($"{path}/timeline", cancellation);
        report.Show(answer, () => Report.Table(
            ["RECORD", "TIME", "STEP", "WHAT"],
            [.. ExecutionReport.Timeline(answer).Select(IReadOnlyList<string> (entry) =>
            [
                entry.Seq.ToString(CultureInfo.InvariantCulture), Report.Time(entry.At), entry.Step ?? "", ExecutionReport.Words(entry),
            ])],
            "Nothing has happened."));
        return ExitCodes.Done;
    }

    private static Argument<string> Id() => new("ID") { Description = "Id of an execution." };
}
