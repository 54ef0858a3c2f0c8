using System.Globalization;
using System.Text.Json;
using Omium.Cli.Client;
using Omium.Contracts.Executions;
using Spectre.Console;

namespace Omium.Cli.Commands;

/// <summary>
/// Follows one execution over its event stream: a live table in a terminal, a line for each entry of the timeline elsewhere, the last view
/// alone with <c>--json</c>. Ends when the run has ended or waits for a person.
/// </summary>
/// <param name="client">The API.</param>
/// <param name="report">How to print.</param>
/// <param name="id">The execution.</param>
/// <param name="afterSeq">What happened up to this record has been told before.</param>
internal sealed class Progress(ApiClient client, Report report, string id, long afterSeq = 0)
{
    private readonly string _path = $"v1/executions/{Uri.EscapeDataString(id)}";
    private long _toldSeq = afterSeq;

    /// <summary>Follows it; answers the exit code that its end stands for.</summary>
    public async Task<int> FollowAsync(CancellationToken cancellation)
    {
        if (report.Json || !Report.IsTerminal)
        {
            if (!report.Json)
            {
                Console.WriteLine(id);
            }

            var last = await FollowAsync(report.Json ? null : (_, token) => TellAsync(token), cancellation);
            report.Show(last, () => ExecutionReport.PrintEnd(View(last)));
            return ExitCode(View(last))!.Value;
        }

        var table = Report.Framed(ExecutionReport.Headings, []);
        var ended = await AnsiConsole.Live(table).StartAsync(context => FollowAsync(
            (view, _) =>
            {
                var next = Report.Framed(ExecutionReport.Headings, ExecutionReport.Rows(view));
                next.Title = new TableTitle(Markup.Escape($"{id}  {ExecutionReport.Status(view)}"));
                context.UpdateTarget(next);
                return Task.CompletedTask;
            },
            cancellation));
        ExecutionReport.PrintEnd(View(ended));
        return ExitCode(View(ended))!.Value;
    }

    /// <summary>Null while it goes on by itself.</summary>
    public static int? ExitCode(ExecutionView execution) => execution.Status switch
    {
        "succeeded" => ExitCodes.Done,
        "failed" or "cancelled" => ExitCodes.ExecutionFailed,
        "paused" => ExitCodes.WaitingForPerson,
        "waiting" when execution.WaitingFor == "review" => ExitCodes.WaitingForPerson,
        _ => null,
    };

    private static ExecutionView View(JsonElement answer) => answer.Deserialize(ClientJson.Default.ExecutionView)!;

    private async Task<JsonElement> FollowAsync(Func<ExecutionView, CancellationToken, Task>? show, CancellationToken cancellation)
    {
        long seen = 0;
        while (true)
        {
            var answer = await client.GetAsync(_path, cancellation);
            var view = View(answer);
            if (show is not null)
            {
                await show(view, cancellation);
            }

            if (ExitCode(view) is not null)
            {
                return answer;
            }

            seen = await NextRecordAsync(Math.Max(seen, view.Seq), cancellation);
        }
    }

    /// <summary>Waits for a record after the one seen. A stream that ends is asked again from there.</summary>
    private async Task<long> NextRecordAsync(long seen, CancellationToken cancellation)
    {
        await foreach (var message in client.StreamAsync($"{_path}/stream", seen, cancellation))
        {
            if (message.EventType == "record" && long.TryParse(message.EventId, CultureInfo.InvariantCulture, out var seq) && seq > seen)
            {
                return seq;
            }
        }

        return seen;
    }

    private async Task TellAsync(CancellationToken cancellation)
    {
        foreach (var entry in ExecutionReport.Timeline(await client.GetAsync($"{_path}/timeline", cancellation)).Where(entry => entry.Seq > _toldSeq))
        {
            Console.WriteLine($"{entry.At.UtcDateTime.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)}  {ExecutionReport.Words(entry)}");
            _toldSeq = Math.Max(_toldSeq, entry.Seq);
        }
    }
}
