using System.CommandLine;
using System.Globalization;
using Omium.Cli.Client;

namespace Omium.Cli.Commands;

/// <summary>A filter of a listing: an option that is sent as the query parameter of the same name.</summary>
internal sealed record Filter(string Name, string HelpName, string Description, string? Default = null);

/// <summary>Commands that show a listing of the API.</summary>
internal static class ListCommand
{
    /// <summary>A listing with its filters and <c>--limit</c>.</summary>
    public static ClientCommand Create(
        string name, string description, string path, string whenEmpty, IReadOnlyList<(string Heading, string Member)> columns, params IReadOnlyList<Filter> filters)
    {
        var limit = new Option<int>("--limit") { Description = "How many.", DefaultValueFactory = _ => 50, HelpName = "N" };
        limit.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<int>() is < 1 or > 100_000)
            {
                given.AddError("--limit is 1 to 100,000.");
            }
        });
        var options = filters.Select(filter => new Option<string?>($"--{filter.Name.Replace('_', '-')}")
        {
            Description = filter.Description, HelpName = filter.HelpName, DefaultValueFactory = _ => filter.Default,
        }).ToArray();
        var command = new ClientCommand(name, description) { limit };
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        return command.Does(async (parsed, client, report, cancellation) =>
        {
            var query = filters.Zip(options).Select(pair => (pair.First.Name, Value: parsed.GetValue(pair.Second))).Where(given => given.Value is { Length: > 0 })
                .Select(given => $"{given.Name}={Uri.EscapeDataString(given.Value!)}").ToArray();
            var answer = await Paging.PageAsync(client, query.Length == 0 ? path : $"{path}?{string.Join('&', query)}", parsed.GetValue(limit), cancellation);
            report.Show(answer, () =>
            {
                JsonTable.Print(answer.GetProperty("items"), whenEmpty, columns);
                if (answer.TryGetProperty("next_cursor", out _))
                {
                    Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"There are more than {parsed.GetValue(limit)}: say --limit."));
                }
            });
            return ExitCodes.Done;
        });
    }
}
