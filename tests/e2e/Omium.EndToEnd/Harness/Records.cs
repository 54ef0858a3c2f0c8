using System.Globalization;

namespace Omium.EndToEnd.Harness;

/// <summary>Questions to the records of an execution.</summary>
internal static class Records
{
    /// <summary>Every event of a type, oldest first.</summary>
    public static IReadOnlyList<JsonNode> Events(this IEnumerable<JsonNode> records, string type) =>
        [.. records.SelectMany(record => record["events"]!.AsArray()).Select(happened => happened!).Where(happened => (string?)happened["type"] == type)];

    /// <summary>Every event of a type about a step.</summary>
    public static IReadOnlyList<JsonNode> Events(this IEnumerable<JsonNode> records, string type, string step) =>
        [.. records.Events(type).Where(happened => (string?)happened["step"] == step)];

    /// <summary>Time of the last record that holds an event of a type (about a step).</summary>
    public static DateTimeOffset TimeOf(this IEnumerable<JsonNode> records, string type, string? step = null) =>
        TimeOf(records.Last(record => (step is null ? new[] { record }.Events(type) : new[] { record }.Events(type, step)).Count > 0));

    /// <summary>Time of a record, or of a line of a log.</summary>
    public static DateTimeOffset TimeOf(JsonNode record) => DateTimeOffset.Parse((string)record["at"]!, CultureInfo.InvariantCulture);
}
