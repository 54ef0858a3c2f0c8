using System.CommandLine;
using System.Text.Json;
using Omium.Cli.Client;

namespace Omium.Cli.Commands;

/// <summary><c>failures</c>: what failed, one failure whole, taking one off the list, the data set of all.</summary>
internal static class FailureCommands
{
    public static Command Create()
    {
        var list = ListCommand.Create(
            "failures", "List what failed, newest first.", "v1/failures", "Nothing has failed.",
            [("FAILURE", "id"), ("WORKFLOW", "workflow"), ("STEP", "step"), ("CLASS", "class"), ("CODE", "code"), ("STATUS", "status"), ("AT", "at")],
            new Filter("status", "STATUS", "open (default), resolved or ignored.", "open"), new Filter("workflow", "NAME", "Only this workflow's."), new Filter("class", "CLASS", "Only of this class."),
            new Filter("execution", "ID", "Only of this execution."), new Filter("from", "TIME", "Detected at this time or later."), new Filter("to", "TIME", "Detected before this time."),
            new Filter("q", "WORDS", "Words in workflow, step, class, code or message."));
        list.Subcommands.Add(Show());
        list.Subcommands.Add(Ignore());
        list.Subcommands.Add(Export());
        return list;
    }

    private static ClientCommand Show()
    {
        var id = new Argument<string>("FAILURE") { Description = "Id of a failure." };
        var command = new ClientCommand("show", "Show one failure: expected against actual, how it came about, what may mend it.") { id };
        return command.Does(async (parsed, client, report, cancellation) =>
        {
            var failure = await client.GetAsync($"v1/failures/{Uri.EscapeDataString(parsed.GetValue(id)!)}", cancellation);
            report.Show(failure, () => Print(failure));
            return ExitCodes.Done;
        });
    }

    private static ClientCommand Ignore()
    {
        var id = new Argument<string>("FAILURE") { Description = "Id of a failure." };
        var command = new ClientCommand("ignore", "Take a failure off the list of open ones.") { id };
        return command.Does(async (parsed, client, report, cancellation) =>
        {
            await client.PostAsync($"v1/failures/{Uri.EscapeDataString(parsed.GetValue(id)!)}/ignore", cancellation);
            report.Done($"{parsed.GetValue(id)} is ignored.");
            return ExitCodes.Done;
        });
    }

    private static ClientCommand Export()
    {
        var workflow = new Option<string?>("--workflow") { Description = "Only this workflow's.", HelpName = "NAME" };
        var command = new ClientCommand("export", "Print all failures as a data set: a JSON object a line, with inputs, outputs, class, fix and outcome.") { workflow };
        return command.Does(async (parsed, client, _, cancellation) =>
        {
            var path = parsed.GetValue(workflow) is { } name ? $"v1/failures/export?workflow={Uri.EscapeDataString(name)}" : "v1/failures/export";
            await using var lines = await client.OpenAsync(path, cancellation);
            await using var output = Console.OpenStandardOutput();
            await lines.CopyToAsync(output, cancellation);
            return ExitCodes.Done;
        });
    }

    private static void Print(JsonElement failure)
    {
        JsonTable.Print(
            failure, ("failure", "id"), ("execution", "execution"), ("status", "execution_status"), ("class", "failure.class"), ("code", "failure.code"), ("message", "failure.message"),
            ("expected", "failure.expected"), ("actual", "failure.actual"), ("input", "input"), ("output", "output"), ("began", "root_cause.explanation"));
        if (failure.TryGetProperty("dependency_chain", out var chain) && chain.GetArrayLength() > 0)
        {
            JsonTable.Print(chain, "", ("STEP", "step"), ("BY", "actor"), ("STATUS", "status"), ("OUTPUT", "output"));
        }

        foreach (var fix in failure.GetProperty("suggested_fixes").EnumerateArray())
        {
            Console.WriteLine($"may mend it   {JsonTable.Cell(fix, "title")}: {JsonTable.Cell(fix, "detail", int.MaxValue)}");
        }

        if (failure.TryGetProperty("review", out var review))
        {
            Console.WriteLine($"waits for you omium approve {JsonTable.Cell(review, "id")} [--edit-prompt TEXT | --decision ...]");
        }
    }
}
