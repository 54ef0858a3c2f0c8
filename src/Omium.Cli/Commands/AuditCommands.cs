using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Kernel.Json;
using Omium.Runtime.Audit;

namespace Omium.Cli.Commands;

/// <summary><c>omium audit export</c> and <c>omium audit verify</c>.</summary>
internal static class AuditCommands
{
    public static Command Create() => new("audit", "The audit trail: who did what, when, from where.") { List(), Export(), Verify() };

    private static ClientCommand List() => ListCommand.Create(
        "list", "List who did what, newest first.", "v1/audit", "Nothing is on record.",
        [("ROW", "seq"), ("AT", "at"), ("WHO", "actor"), ("WHAT", "action"), ("ABOUT", "subject")],
        new Filter("action", "ACTION", "Only this action; `key.` takes all of a kind."), new Filter("actor", "ID", "Only what this one did."), new Filter("subject", "ID", "Only about this."),
        new Filter("from", "TIME", "At this time or later."), new Filter("to", "TIME", "Before this time."));

    private static ClientCommand Export()
    {
        var format = new Option<string>("--format") { Description = "jsonl, which proves itself, or csv.", DefaultValueFactory = _ => "jsonl", HelpName = "FORMAT" };
        format.AcceptOnlyFromAmong("jsonl", "csv");
        var output = new Option<string?>("--output") { Description = "File; default: standard output.", HelpName = "FILE" };
        var command = new ClientCommand("export", "Print the whole trail, oldest first.") { format, output };
        return command.Does(async (parsed, client, report, cancellation) =>
        {
            await using var from = await client.OpenAsync($"v1/audit/export?format={parsed.GetValue(format)}", cancellation);
            await using var to = parsed.GetValue(output) is { } path ? File.Create(path) : Console.OpenStandardOutput();
            await from.CopyToAsync(to, cancellation);
            return ExitCodes.Done;
        });
    }

    /// <summary>A file is checked by itself, without a server; without a file the server checks its store, and what it exports is checked here.</summary>
    private static ClientCommand Verify()
    {
        var file = new Argument<string?>("FILE") { Description = "An export as JSON lines; default: the server's trail.", Arity = ArgumentArity.ZeroOrOne };
        var head = new Option<string?>("--head") { Description = "Hash that the last row must have, from an earlier verification: shows an end that was cut off.", HelpName = "HASH" };
        var command = new ClientCommand("verify", "Find a changed, removed or reordered row.") { file, head };
        return command.Does(async (parsed, client, report, cancellation) =>
        {
            var checker = new AuditChecker();
            string? problem;
            if (parsed.GetValue(file) is { } path)
            {
                await using var stream = File.OpenRead(path);
                problem = await CheckAsync(checker, stream, cancellation);
            }
            else
            {
                var verified = await client.GetAsync("v1/audit/verify", cancellation);
                await using var stream = await client.OpenAsync("v1/audit/export", cancellation);
                problem = verified.GetProperty("status").GetString() == "intact" ? await CheckAsync(checker, stream, cancellation) : verified.GetProperty("detail").GetString();
            }

            if (problem is null && parsed.GetValue(head) is { } expected && checker.Head != expected)
            {
                problem = $"the last row is {checker.Head}, not {expected}: the end was cut off, or this is another trail";
            }

            report.Show(
                JsonMake.Object(
                    ("status", JsonMake.Text(problem is null ? "intact" : "corrupt")), ("rows", Number(checker.Rows)), ("erased", Number(checker.Erased)),
                    ("head", JsonMake.Text(checker.Head)), ("detail", problem is null ? default : JsonMake.Text(problem))),
                () => Console.WriteLine(problem is null ? $"intact: {Number(checker.Rows)} rows, head {checker.Head}" : $"corrupt: {problem}; {Number(checker.Rows)} rows before it hold"));
            return problem is null ? ExitCodes.Done : ExitCodes.Error;
        }, parsed => parsed.GetValue(file) is not null);
    }

    private static JsonElement Number(long value) => JsonElement.Parse(value.ToString(CultureInfo.InvariantCulture));

    private static async Task<string?> CheckAsync(AuditChecker checker, Stream lines, CancellationToken cancellation)
    {
        using var reader = new StreamReader(lines);
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            if (line.Length > 0 && checker.Check(line) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }
}
