using System.Globalization;
using System.Text;
using Omium.Azure.Tables;
using Omium.Runtime.Ports;

namespace Omium.Azure.Storage;

/// <summary>How listing rows lie in their table: <c>i.{id}</c> for the row itself, and one key per order in which it is listed, newest first.</summary>
internal static class IndexEntities
{
    public const string Status = "Status", Source = "Source", SourceSeq = "SourceSeq";

    public static string PartitionOf(string tenant, string kind) => $"t.{TableKeys.Of(tenant)}.k.{TableKeys.Of(kind)}";

    public static string BaseKey(string id) => $"i.{TableKeys.Of(id)}";

    /// <summary>The keys under which a row is listed.</summary>
    public static IEnumerable<string> ListKeys(IndexRow row)
    {
        var place = PlaceOf(row.CreatedUnixMs, row.Id);
        yield return All() + place;
        yield return By('w', row.Workflow) + place;
        yield return By('s', row.Status) + place;
        if (row.FailureClass.Length > 0)
        {
            yield return By('f', row.FailureClass) + place;
        }

        if (row.Kind != IndexKinds.Execution)
        {
            yield return By('e', row.Execution) + place;
        }
    }

    public static TableEntity EntityOf(IndexRow row, string partition, string key) => new TableEntity(partition, key)
        .With("Id", row.Id).With("Tenant", row.Tenant).With("Kind", row.Kind).With("Execution", row.Execution)
        .With("Workflow", row.Workflow).With("WorkflowVersion", (long)row.WorkflowVersion).With(Status, row.Status)
        .With("FailureClass", row.FailureClass).With("Step", row.Step).With("Label", row.Label).With("StartedBy", row.StartedBy).With("By", row.By).With("Active", row.Active)
        .With("Created", row.CreatedUnixMs).With("Updated", row.UpdatedUnixMs).With("Ended", row.EndedUnixMs);

    public static IndexRow RowOf(TableEntity entity) => new(entity.Text("Tenant"), entity.Text("Kind"), entity.Text("Id"), entity.Text("Execution"))
    {
        Workflow = entity.Text("Workflow"),
        WorkflowVersion = (int)entity.Number("WorkflowVersion"),
        Status = entity.Text(Status),
        FailureClass = entity.Text("FailureClass"),
        Step = entity.Text("Step"),
        Label = entity.Text("Label"),
        StartedBy = entity.Text("StartedBy"),
        By = entity.Text("By"),
        Active = entity.Truth("Active"),
        CreatedUnixMs = entity.Number("Created"),
        UpdatedUnixMs = entity.Number("Updated"),
        EndedUnixMs = entity.Number("Ended"),
    };

    /// <summary>The narrowest listing that holds what is asked for, between the times and behind the cursor, with the other filters as conditions.</summary>
    public static TableQuery QueryOf(IndexQuery query, string? cursor)
    {
        var listing = query switch
        {
            { Execution: { } execution } when query.Kind != IndexKinds.Execution => By('e', execution),
            { FailureClass: { Length: > 0 } failure } => By('f', failure),
            { Status: { } status } => By('s', status),
            { Workflow: { } workflow } => By('w', workflow),
            _ => All(),
        };

        // Newest first: the upper end of the time is the lower end of the keys. Listings begin at the first key behind their name.
        var after = listing;
        if (query.ToUnixMs is { } to)
        {
            after = listing + TableKeys.After(TableKeys.Reversed(Math.Max(0, to)));
        }

        if (cursor is not null && listing + Place(cursor) is var place && string.CompareOrdinal(place, after) > 0)
        {
            after = place;
        }

        var before = query.FromUnixMs is { } from ? listing + TableKeys.After(TableKeys.Reversed(Math.Max(0, from))) : TableKeys.After(listing);
        var asked = TableQuery.Range(PartitionOf(query.Tenant, query.Kind), after, before);
        if (query.IdPrefix is { } prefix)
        {
            asked = asked.And($"Id ge {TableQuery.Quote(prefix)} and Id lt {TableQuery.Quote(prefix + char.MaxValue)}");
        }

        asked = Where(asked, "Execution", query.Execution);
        asked = Where(asked, "FailureClass", query.FailureClass);
        asked = Where(asked, Status, query.Status);
        return Where(asked, "Workflow", query.Workflow);
    }

    /// <summary>Opaque to callers: where the row stands in any listing.</summary>
    public static string CursorOf(IndexRow row) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{row.CreatedUnixMs} {row.Id}"))).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static string Place(string cursor)
    {
        try
        {
            var base64 = cursor.Replace('-', '+').Replace('_', '/');
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '=')));
            var space = text.IndexOf(' ', StringComparison.Ordinal);
            if (space > 0 && long.TryParse(text.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture, out var created))
            {
                return PlaceOf(created, text[(space + 1)..]);
            }
        }
        catch (FormatException)
        {
            // Not made here.
        }

        throw new InvalidCursorException();
    }

    private static TableQuery Where(TableQuery query, string property, string? value) =>
        value is null ? query : query.And($"{property} eq {TableQuery.Quote(value)}");

    private static string PlaceOf(long createdUnixMs, string id) => $"{TableKeys.Reversed(createdUnixMs)}.{TableKeys.Reversed(id)}";

    private static string All() => "n.";

    // A point and two digits stand for other characters inside a text; 'z' ends it, as no such digit does.
    private static string By(char listing, string value) => $"{listing}.{TableKeys.Of(value)}.z";
}
