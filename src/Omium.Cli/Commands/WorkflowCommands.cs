using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Contracts.Workflows;

namespace Omium.Cli.Commands;

/// <summary><c>workflows</c>, <c>save</c>, <c>validate</c>, <c>suggest</c>.</summary>
internal static class WorkflowCommands
{
    public static Command List() => new ClientCommand("workflows", "List saved workflows.").Does(async (_, client, report, cancellation) =>
    {
        var answer = await client.GetAsync("v1/workflows", cancellation);
        report.Show(answer, () => Report.Table(
            ["NAME", "VERSION", "STEPS", "AGENTS", "SAVED", "DESCRIPTION"],
            [.. answer.GetProperty("items").Deserialize(ClientJson.Default.ListWorkflowSummary)!.Select(IReadOnlyList<string> (row) =>
            [
                row.Name, row.Version.ToString(CultureInfo.InvariantCulture), row.Steps.ToString(CultureInfo.InvariantCulture),
                row.Agents.ToString(CultureInfo.InvariantCulture), Report.Time(row.SavedAt), row.Description ?? "",
            ])],
            "No workflows. Save one with `omium save FILE`."));
        return ExitCodes.Done;
    });

    public static Command Save()
    {
        var file = File();
        return new ClientCommand("save", "Save a workflow as a new version.") { file }.Does(async (parsed, client, report, cancellation) =>
        {
            var answer = await PostAsync(client, "v1/workflows", parsed.GetValue(file)!, cancellation);
            var saved = answer.Deserialize(ClientJson.Default.WorkflowView)!;
            report.Show(answer, () =>
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{saved.Name} version {saved.Version}"));
                Print(saved.Warnings);
            });
            return ExitCodes.Done;
        });
    }

    public static Command Validate()
    {
        var file = File();
        return new ClientCommand("validate", "Check a workflow without saving it; exit code 1 when it has errors.") { file }.Does(async (parsed, client, report, cancellation) =>
        {
            var answer = await PostAsync(client, "v1/workflows/validate", parsed.GetValue(file)!, cancellation);
            var checkedSpec = answer.Deserialize(ClientJson.Default.ValidateView)!;
            report.Show(answer, () =>
            {
                Print(checkedSpec.Problems);
                Console.WriteLine(checkedSpec.Valid ? "valid" : "not valid");
            });
            return checkedSpec.Valid ? ExitCodes.Done : ExitCodes.Error;
        });
    }

    public static Command Suggest()
    {
        var file = File();
        var accept = new Option<string?>("--accept") { Description = "Ids with commas between, or all: prints the workflow as JSON with these accepted.", HelpName = "IDS" };
        return new ClientCommand("suggest", "Propose checkpoints, guards, locks, approvals and recovery for a workflow; nothing is saved.") { file, accept }.Does(async (parsed, client, report, cancellation) =>
        {
            var query = parsed.GetValue(accept) is { } ids ? $"?accept={Uri.EscapeDataString(ids)}" : "";
            var answer = await PostAsync(client, "v1/workflows/suggest" + query, parsed.GetValue(file)!, cancellation);
            var suggested = answer.Deserialize(ClientJson.Default.SuggestView)!;
            report.Show(answer, () =>
            {
                if (suggested.Spec is { } spec)
                {
                    Console.WriteLine(ClientJson.Print(spec));
                    return;
                }

                foreach (var suggestion in suggested.Suggestions)
                {
                    Console.WriteLine($"{suggestion.Id}: {suggestion.Title}");
                    Console.WriteLine($"  {suggestion.Reason}");
                }

                Console.WriteLine(suggested.Suggestions.Count == 0 ? "Nothing to suggest." : $"Accept some: omium suggest {parsed.GetValue(file)} --accept ID,ID (or all)");
            });
            return ExitCodes.Done;
        });
    }

    private static async Task<JsonElement> PostAsync(ApiClient client, string path, string file, CancellationToken cancellation)
    {
        var text = await ClientCommand.TextOrFileAsync("@" + file, cancellation);
        return Path.GetExtension(file).Equals(".json", StringComparison.OrdinalIgnoreCase)
            ? await client.PostAsync(path, new SaveWorkflowRequest(await ClientCommand.JsonOrFileAsync(text, file, cancellation)), ClientJson.Default.SaveWorkflowRequest, cancellation)
            : await client.PostTextAsync(path, text, "text/yaml", cancellation);
    }

    private static void Print(IReadOnlyList<SpecProblem> problems)
    {
        foreach (var problem in problems)
        {
            Console.WriteLine($"{problem.Severity} {(problem.Pointer.Length == 0 ? "/" : problem.Pointer)}: {problem.Message} [{problem.Code}]");
            Console.WriteLine($"  {problem.Mend}");
        }
    }

    private static Argument<string> File() => new("FILE") { Description = "A workflow: YAML, or JSON where the name ends in .json." };
}
