using System.Globalization;
using System.Text.Json;

namespace Omium.Cli.Client;

/// <summary>Rows of a table from an answer, by the names of its members: what the API calls a thing is what its column says.</summary>
internal static class JsonTable
{
    private const int CellCharactersMax = 60;

    /// <summary>A row for each item; a column is a member, or with dots one of a member.</summary>
    public static void Print(JsonElement items, string whenEmpty, params IReadOnlyList<(string Heading, string Member)> columns) => Report.Table(
        [.. columns.Select(column => column.Heading)],
        [.. items.EnumerateArray().Select(IReadOnlyList<string> (item) => [.. columns.Select(column => Cell(item, column.Member))])],
        whenEmpty);

    /// <summary>A line for each member that is there.</summary>
    public static void Print(JsonElement item, params ReadOnlySpan<(string Heading, string Member)> lines)
    {
        foreach (var (heading, member) in lines)
        {
            if (Cell(item, member, int.MaxValue) is { Length: > 0 } text)
            {
                Console.WriteLine($"{heading,-14}{text}");
            }
        }
    }

    /// <summary>A member as people read it; empty when it is not there.</summary>
    public static string Cell(JsonElement item, string member, int charactersMax = CellCharactersMax)
    {
        foreach (var name in member.Split('.'))
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty(name, out item))
            {
                return "";
            }
        }

        return item.ValueKind switch
        {
            JsonValueKind.String when DateTimeOffset.TryParse(item.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) && member.EndsWith("at", StringComparison.Ordinal) =>
                Report.Time(at),
            JsonValueKind.String => Cut(item.GetString()!, charactersMax),
            JsonValueKind.True => "yes",
            JsonValueKind.False => "no",
            JsonValueKind.Null or JsonValueKind.Undefined => "",
            JsonValueKind.Array when item.EnumerateArray().All(word => word.ValueKind == JsonValueKind.String) => Cut(string.Join(' ', item.EnumerateArray().Select(word => word.GetString())), charactersMax),
            _ => Cut(item.GetRawText(), charactersMax),
        };
    }

    private static string Cut(string text, int charactersMax) => text.Length <= charactersMax ? text : text[..(charactersMax - 3)] + "...";
}
