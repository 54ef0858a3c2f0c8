using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Omium.Cli.Client;

/// <summary>What commands print: tables with lines in a terminal, aligned columns elsewhere, JSON with <c>--json</c>.</summary>
internal sealed class Report(bool json)
{
    /// <summary>True when the answer of the API is printed as it is.</summary>
    public bool Json { get; } = json;

    /// <summary>True when a person looks at a terminal.</summary>
    public static bool IsTerminal => !Console.IsOutputRedirected;

    /// <summary>The answer itself with <c>--json</c>; else what the action prints.</summary>
    public void Show(JsonElement answer, Action human)
    {
        if (Json)
        {
            Console.WriteLine(ClientJson.Print(answer));
        }
        else
        {
            human();
        }
    }

    /// <summary>Something was done that answers nothing: said, or with <c>--json</c> an empty object.</summary>
    public void Done(string said) => Console.WriteLine(Json ? "{}" : said);

    /// <summary>Rows under headings.</summary>
    public static void Table(IReadOnlyList<string> headings, IReadOnlyList<IReadOnlyList<string>> rows, string whenEmpty)
    {
        if (rows.Count == 0)
        {
            if (whenEmpty.Length > 0)
            {
                Console.WriteLine(whenEmpty);
            }
        }
        else if (IsTerminal)
        {
            AnsiConsole.Write(Framed(headings, rows));
        }
        else
        {
            Aligned([headings, .. rows]);
        }
    }

    /// <summary>The table with its lines.</summary>
    public static Table Framed(IReadOnlyList<string> headings, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var heading in headings)
        {
            table.AddColumn(new TableColumn($"[bold]{Markup.Escape(heading)}[/]"));
        }

        foreach (var row in rows)
        {
            table.AddRow([.. row.Select(Coloured)]);
        }

        return table;
    }

    /// <summary>A time as people read it: seconds, UTC.</summary>
    public static string Time(DateTimeOffset? at) => at is { } time ? time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) : "";

    /// <summary>A value on one line, cut.</summary>
    public static string Short(JsonElement? value, int charsMax = 60) =>
        value is not { ValueKind: not JsonValueKind.Undefined } element ? "" : element.GetRawText() is var text && text.Length <= charsMax ? text : text[..(charsMax - 3)] + "...";

    private static string Coloured(string cell) => cell switch
    {
        "succeeded" or "committed" or "identical" or "done" => $"[green]{cell}[/]",
        "failed" or "corrupt" or "in_doubt" or "cancelled" => $"[red]{cell}[/]",
        "paused" or "waiting" or "open" or "rolled_back" or "rolling_back" => $"[yellow]{cell}[/]",
        "running" => $"[blue]{cell}[/]",
        _ => Markup.Escape(cell),
    };

    private static void Aligned(IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Count).Select(column => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows)
        {
            Console.WriteLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
        }
    }
}
