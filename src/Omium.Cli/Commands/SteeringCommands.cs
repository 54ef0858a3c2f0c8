using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Contracts.Executions;

namespace Omium.Cli.Commands;

/// <summary><c>pause</c>, <c>resume</c>, <c>cancel</c>, <c>fork</c>, <c>verify</c>, <c>residue</c>: what an operator does at night beside deciding.</summary>
internal static class SteeringCommands
{
    public static IEnumerable<Command> Simple() =>
    [
        Simple("pause", "Begin nothing new; what is in flight ends.", "is paused"),
        Simple("resume", "Go on.", "goes on"),
        Simple("cancel", "End an execution; what has been done stays done.", "is cancelled"),
    ];

    public static Command Fork()
    {
        var id = new Argument<string>("ID") { Description = "Id of an execution." };
        var at = new Option<long?>("--at") { Description = "How many of its records the fork begins with; default all.", HelpName = "N" };
        var input = new Option<string?>("--input") { Description = "Another input: JSON or @FILE.", HelpName = "JSON|@FILE" };
        var edits = new Option<string?>("--edits") { Description = "What else is changed: {\"agents\": ..., \"steps\": ...} as JSON or @FILE.", HelpName = "JSON|@FILE" };
        var live = new Option<bool>("--live") { Description = "Effects happen again, under keys of their own; without --acknowledge the answer lists them." };
        var acknowledge = new Option<string?>("--acknowledge") { Description = "With --live: the digest of the list of effects that happen again.", HelpName = "DIGEST" };
        var preview = new Option<bool>("--preview") { Description = "Only show what would run again." };
        var wait = new Option<bool>("--wait") { Description = "Then show the progress of the fork." };
        return new ClientCommand("fork", "Go on from a point of an execution's past, in an execution of its own.") { id, at, input, edits, live, acknowledge, preview, wait }.Does(
            async (parsed, client, report, cancellation) =>
            {
                var changed = parsed.GetValue(edits) is { } text
                    ? (await ClientCommand.JsonOrFileAsync(text, "--edits", cancellation)).Deserialize(ClientJson.Default.ForkEditsRequest) : null;
                if (parsed.GetValue(input) is { } given)
                {
                    changed = (changed ?? new ForkEditsRequest()) with { Input = await ClientCommand.JsonOrFileAsync(given, "--input", cancellation) };
                }

                var request = new ForkRequest(
                    parsed.GetValue(at), changed, parsed.GetValue(live) ? "live" : null, parsed.GetValue(acknowledge), parsed.GetValue(preview) ? true : null);
                var answer = await client.PostAsync($"v1/executions/{Uri.EscapeDataString(parsed.GetValue(id)!)}/fork", request, ClientJson.Default.ForkRequest, cancellation);
                if (parsed.GetValue(preview))
                {
                    report.Show(answer, () => PrintPreview(answer));
                    return ExitCodes.Done;
                }

                var fork = answer.GetProperty("id").GetString()!;
                if (parsed.GetValue(wait))
                {
                    return await new Progress(client, report, fork).FollowAsync(cancellation);
                }

                report.Show(answer, () => Console.WriteLine(fork));
                return ExitCodes.Done;
            });
    }

    public static Command Residue()
    {
        var list = ListCommand.Create(
            "residue", "List what could not be undone.", "v1/residue", "Nothing was left.",
            [("RESIDUE", "id"), ("WORKFLOW", "workflow"), ("STEP", "step"), ("TOOL", "tool"), ("REASON", "reason"), ("STATUS", "status"), ("AT", "at")],
            new Filter("status", "STATUS", "open (default) or resolved.", "open"));
        var id = new Argument<string>("RESIDUE") { Description = "Its id." };
        var note = new Option<string?>("--note") { Description = "What was done about it.", HelpName = "TEXT" };
        list.Subcommands.Add(new ClientCommand("resolve", "Say that it was dealt with.") { id, note }.Does(async (parsed, client, report, cancellation) =>
        {
            var answer = await client.PostAsync(
                $"v1/residue/{Uri.EscapeDataString(parsed.GetValue(id)!)}/resolve", new ResolveResidueRequest(parsed.GetValue(note)), ClientJson.Default.ResolveResidueRequest, cancellation);
            report.Show(answer, () => Console.WriteLine($"{parsed.GetValue(id)} is resolved."));
            return ExitCodes.Done;
        }));
        return list;
    }

    private static ClientCommand Simple(string name, string description, string done)
    {
        var id = new Argument<string>("ID") { Description = "Id of an execution." };
        return new ClientCommand(name, description) { id }.Does(async (parsed, client, report, cancellation) =>
        {
            var answer = await client.PostAsync($"v1/executions/{Uri.EscapeDataString(parsed.GetValue(id)!)}/{name}", cancellation);
            report.Show(answer, () => Console.WriteLine($"{parsed.GetValue(id)} {done}."));
            return ExitCodes.Done;
        });
    }

    private static void PrintPreview(JsonElement preview)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Begins with {preview.GetProperty("at").GetInt64()} records. Would run again, beside what lies after them:"));
        JsonTable.Print(preview.GetProperty("runs_again"), "nothing", ("STEP", "step"), ("VISIT", "visit"));
        foreach (var call in preview.GetProperty("repeats").EnumerateArray())
        {
            Console.WriteLine($"  live, again  {JsonTable.Cell(call, "tool")} of {JsonTable.Cell(call, "step")}: {JsonTable.Cell(call, "arguments")}");
        }

        Console.WriteLine($"To let them happen: --live --acknowledge {JsonTable.Cell(preview, "digest", int.MaxValue)}");
    }
}
