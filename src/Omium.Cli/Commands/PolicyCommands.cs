using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Contracts.Policies;
using Omium.Kernel.Json;

namespace Omium.Cli.Commands;

/// <summary><c>policies</c>: the tenant's recovery policy, and what another one would have done about past failures.</summary>
internal static class PolicyCommands
{
    public static Command Create()
    {
        var show = new ClientCommand("policies", "Show the tenant's recovery policy.").Does(async (_, client, report, cancellation) =>
        {
            var policy = await client.GetAsync("v1/policies", cancellation);
            report.Show(policy, () =>
            {
                JsonTable.Print(policy, ("version", "version"), ("put at", "at"), ("by", "by"));
                Console.WriteLine(policy.TryGetProperty("policy", out var given) ? ClientJson.Print(given) : "The built-in policy.");
            });
            return ExitCodes.Done;
        });
        show.Subcommands.Add(Put());
        show.Subcommands.Add(DryRun());
        return show;
    }

    private static ClientCommand Put()
    {
        var file = new Argument<string>("FILE") { Description = "The policy, as YAML; or JSON where the name ends in .json." };
        return new ClientCommand("put", "Make it the policy of executions that start from now on.") { file }.Does(async (parsed, client, report, cancellation) =>
        {
            var path = parsed.GetValue(file)!;
            var text = await ClientCommand.TextOrFileAsync("@" + path, cancellation);
            var answer = path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
                ? await client.PutAsync("v1/policies", new PutPolicyRequest(JsonElement.Parse(text)), ClientJson.Default.PutPolicyRequest, cancellation)
                : await client.PutTextAsync("v1/policies", text, "text/yaml", cancellation);
            report.Show(answer, () => Console.WriteLine($"Version {JsonTable.Cell(answer, "version")} serves what starts from now on."));
            return ExitCodes.Done;
        });
    }

    private static ClientCommand DryRun()
    {
        var file = new Argument<string>("FILE") { Description = "A policy, as YAML or JSON." };
        var workflow = new Option<string?>("--workflow") { Description = "Only failures of this workflow.", HelpName = "NAME" };
        var limit = new Option<int>("--limit") { Description = "Failures looked at, newest first.", DefaultValueFactory = _ => 100, HelpName = "N" };
        return new ClientCommand("dry-run", "What a policy would have done about past failures. Nothing is changed, called or asked.") { file, workflow, limit }.Does(
            async (parsed, client, report, cancellation) =>
            {
                var policy = JsonMake.Text(await ClientCommand.TextOrFileAsync("@" + parsed.GetValue(file), cancellation)); // JSON is YAML, too.
                var request = new DryRunRequest(policy, parsed.GetValue(workflow), Limit: parsed.GetValue(limit));
                var answer = await client.PostAsync("v1/policies/dry-run", request, ClientJson.Default.DryRunRequest, cancellation);
                report.Show(answer, () =>
                {
                    JsonTable.Print(
                        answer.GetProperty("items"), "There are no failures to try it on.",
                        ("FAILURE", "failure_id"), ("CLASS", "class"), ("CAUGHT", "caught"), ("BY", "by"), ("WOULD", "would"), ("WAS", "was"), ("OUTCOME", "outcome"));
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Would have caught {answer.GetProperty("caught").GetInt32()} of {answer.GetProperty("examined").GetInt32()}."));
                });
                return ExitCodes.Done;
            });
    }
}
