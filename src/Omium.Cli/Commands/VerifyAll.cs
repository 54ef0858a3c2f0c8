using System.Globalization;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Kernel.Json;

namespace Omium.Cli.Commands;

/// <summary><c>replay --all</c>: proves every stored history against the current kernel. Made for CI: it ends with code 1 when one is corrupt.</summary>
internal sealed class VerifyAll(ApiClient client, Report report)
{
    private const int AtOnce = 4;
    private static readonly string[] Verdicts = ["identical", "consistent", "erased", "corrupt"];
    private readonly Dictionary<string, int> _counts = Verdicts.ToDictionary(verdict => verdict, _ => 0, StringComparer.Ordinal);
    private readonly List<JsonElement> _corrupt = [];
    private readonly Lock _lock = new();
    private long _records;

    public async Task<int> RunAsync(string? workflow, CancellationToken cancellation)
    {
        var path = workflow is null ? "v1/executions" : $"v1/executions?workflow={Uri.EscapeDataString(workflow)}";
        var ids = Paging.AllAsync(client, path, cancellation);
        await Parallel.ForEachAsync(
            ids, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (execution, token) => await VerifyAsync(execution.GetProperty("id").GetString()!, token));
        Tell(isLast: true);
        var answer = JsonMake.Object(
            ("executions", Number(_counts.Values.Sum())), ("records", Number(_records)), ("identical", Number(_counts["identical"])), ("consistent", Number(_counts["consistent"])),
            ("erased", Number(_counts["erased"])), ("corrupt", JsonMake.Array(_corrupt)));
        report.Show(answer, () =>
        {
            Console.WriteLine(
                $"{Text(_counts.Values.Sum())} executions, {Text(_records)} records: {string.Join(", ", Verdicts.Where(verdict => _counts[verdict] > 0 || verdict == "corrupt").Select(verdict => $"{Text(_counts[verdict])} {verdict}"))}");
            JsonTable.Print(JsonMake.Array(_corrupt), "", ("EXECUTION", "execution"), ("DETAIL", "detail"));
        });
        return _corrupt.Count > 0 ? ExitCodes.Error : ExitCodes.Done;
    }

    private async Task VerifyAsync(string id, CancellationToken cancellation)
    {
        var answer = await client.GetAsync($"v1/executions/{Uri.EscapeDataString(id)}/verify", cancellation);
        var verdict = answer.GetProperty("verdict").GetString()!;
        lock (_lock)
        {
            _counts[verdict] = _counts.GetValueOrDefault(verdict) + 1;
            _records += answer.GetProperty("records").GetInt64();
            if (verdict == "corrupt")
            {
                _corrupt.Add(JsonMake.Object(("execution", JsonMake.Text(id)), ("detail", JsonMake.Text(JsonTable.Cell(answer, "detail", int.MaxValue)))));
            }

            Tell(isLast: false);
        }
    }

    /// <summary>How far it is, on one line of a terminal; elsewhere nothing.</summary>
    private void Tell(bool isLast)
    {
        if (!Console.IsErrorRedirected && !report.Json)
        {
            Console.Error.Write(isLast ? "\r\u001b[K" : $"\r{Text(_counts.Values.Sum())} verified, {Text(_counts["corrupt"])} corrupt");
        }
    }

    private static JsonElement Number(long value) => JsonElement.Parse(Text(value));

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
