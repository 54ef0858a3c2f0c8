using System.Globalization;
using System.Text;
using System.Text.Json;
using Azure.Core;
using Omium.Azure.Rest;

namespace Omium.Azure.Tables;

/// <summary>
/// The operations of the Table service that Omium needs, as documented for its REST protocol
/// (https://learn.microsoft.com/rest/api/storageservices/table-service-rest-api). This file and <see cref="TableBatch"/> are all that would change
/// if the official client (Azure.Data.Tables, TableServiceClient over the same pipeline options) took their place.
/// </summary>
internal sealed class TableService(StorageAccount account, AzureStoreOptions options)
{
    private const string Minimal = "application/json;odata=minimalmetadata";
    private const int PageRowsMax = 1_000;
    private readonly StoragePipeline _pipeline = StoragePipeline.ForTables(account, options);

    /// <summary>The table's full name.</summary>
    public string Name(string table) => options.Prefix + table;

    /// <summary>Makes the table if it is not there.</summary>
    public async Task CreateAsync(string table, CancellationToken cancellation)
    {
        using var message = Message(RequestMethod.Post, "Tables");
        WriteBody(message, JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["TableName"] = Name(table) }));
        await _pipeline.SendAsync(message, $"making the table {Name(table)}", cancellation, 201, 204, 409);
    }

    /// <summary>Reads one row; null when it is not there.</summary>
    public async Task<TableEntity?> GetAsync(string table, string partition, string row, CancellationToken cancellation)
    {
        using var message = Message(RequestMethod.Get, RowPath(table, partition, row));
        var answer = await _pipeline.SendAsync(message, "reading a row", cancellation, 200, 404);
        if (answer.Status == 404)
        {
            return null;
        }

        using var document = JsonDocument.Parse(answer.Response.Content);
        return TableEntity.Read(document.RootElement);
    }

    /// <summary>
    /// One page of the rows that match, in the order of their keys: at most <paramref name="countMax"/>, and possibly fewer (even none) with a
    /// continuation, because the service ends a page after 1,000 rows, five seconds, or at the border of a partition.
    /// </summary>
    public async Task<TablePage> QueryAsync(string table, TableQuery query, int countMax, TableContinuation? from, CancellationToken cancellation)
    {
        var path = new StringBuilder(Name(table)).Append("()?$filter=").Append(Uri.EscapeDataString(query.Filter))
            .Append("&$top=").Append(Math.Clamp(countMax, 1, PageRowsMax).ToString(CultureInfo.InvariantCulture));
        if (query.Select is { } select)
        {
            path.Append("&$select=").Append(select);
        }

        if (from is { } token)
        {
            path.Append("&NextPartitionKey=").Append(Uri.EscapeDataString(token.Partition));
            if (token.Row is { } row)
            {
                path.Append("&NextRowKey=").Append(Uri.EscapeDataString(row));
            }
        }

        using var message = Message(RequestMethod.Get, path.ToString());
        var answer = await _pipeline.SendAsync(message, "reading rows", cancellation, 200);
        using var document = JsonDocument.Parse(answer.Response.Content);
        var rows = document.RootElement.GetProperty("value").EnumerateArray().Select(TableEntity.Read).ToList();
        var next = answer.Header("x-ms-continuation-NextPartitionKey") is { } partition
            ? new TableContinuation(partition, answer.Header("x-ms-continuation-NextRowKey"))
            : default(TableContinuation?);
        return new TablePage(rows, next);
    }

    /// <summary>Rows that match, in order, page after page until there are <paramref name="countMax"/> or no more.</summary>
    public async Task<List<TableEntity>> QueryAllAsync(string table, TableQuery query, int countMax, CancellationToken cancellation)
    {
        var rows = new List<TableEntity>();
        TableContinuation? next = null;
        while (rows.Count < countMax)
        {
            var page = await QueryAsync(table, query, countMax - rows.Count, next, cancellation);
            rows.AddRange(page.Rows);
            next = page.Next;
            if (next is null)
            {
                break;
            }
        }

        return rows;
    }

    /// <summary>Applies one change.</summary>
    public async Task<TableChanged> ChangeAsync(string table, TableOperation operation, CancellationToken cancellation)
    {
        using var message = operation is TableOperation.InsertRow
            ? Message(RequestMethod.Post, Name(table))
            : Message(operation is TableOperation.DeleteRow ? RequestMethod.Delete : RequestMethod.Put, RowPath(table, operation.Partition, operation.Row));
        switch (operation)
        {
            case TableOperation.InsertRow insert:
                message.Request.Headers.SetValue("Prefer", "return-no-content");
                WriteBody(message, insert.Entity.ToJson());
                break;
            case TableOperation.PutRow put:
                if (put.ETag is { } tag)
                {
                    message.Request.Headers.SetValue("If-Match", tag);
                }

                WriteBody(message, put.Entity.ToJson());
                break;
            default:
                message.Request.Headers.SetValue("If-Match", "*");
                break;
        }

        var answer = await _pipeline.SendAsync(message, "writing a row", cancellation, 201, 204, 404, 409, 412);
        return Changed(answer);
    }

    /// <summary>Removes a row if it still has this tag.</summary>
    public async Task<TableChanged> DeleteAsync(string table, string partition, string row, string etag, CancellationToken cancellation)
    {
        using var message = Message(RequestMethod.Delete, RowPath(table, partition, row));
        message.Request.Headers.SetValue("If-Match", etag);
        return Changed(await _pipeline.SendAsync(message, "removing a row", cancellation, 204, 404, 412));
    }

    /// <summary>
    /// Applies changes of one partition together or not at all (an entity group transaction: at most 100 rows and 4 MiB).
    /// </summary>
    public async Task<TableChanged> ChangeAllAsync(string table, IReadOnlyList<TableOperation> operations, CancellationToken cancellation)
    {
        if (operations.Count == 1 && operations[0] is not TableOperation.DeleteRow)
        {
            return await ChangeAsync(table, operations[0], cancellation);
        }

        var batch = TableBatch.Write(operations, operation => new Uri(account.Tables, operation is TableOperation.InsertRow ? Name(table) : RowPath(table, operation.Partition, operation.Row)));
        using var message = Message(RequestMethod.Post, "$batch");
        message.Request.Headers.SetValue("Content-Type", $"multipart/mixed; boundary={TableBatch.Boundary}");
        message.Request.Content = RequestContent.Create(batch);
        const string Doing = "writing rows together";
        var answer = await _pipeline.SendAsync(message, Doing, cancellation, 202);
        var (status, code) = TableBatch.ReadStatus(answer.Response.Content);
        return status switch
        {
            < 300 => new TableChanged(TableChange.Done, "", answer.WasRepeated),
            404 or 409 or 412 when code is not ("TableNotFound" or "TableBeingDeleted") => new TableChanged(TableChange.Refused, "", answer.WasRepeated),
            _ => throw StoragePipeline.Failure(status, code, Doing),
        };
    }

    private static TableChanged Changed(StorageAnswer answer)
    {
        if (answer.Status < 300)
        {
            return new TableChanged(TableChange.Done, answer.ETag, answer.WasRepeated);
        }

        // A table that is missing is no answer about a row.
        return StoragePipeline.CodeOf(answer.Response) is "TableNotFound" or "TableBeingDeleted"
            ? throw StoragePipeline.Failure(answer.Status, StoragePipeline.CodeOf(answer.Response), "writing a row")
            : new TableChanged(TableChange.Refused, "", answer.WasRepeated);
    }

    private HttpMessage Message(RequestMethod method, string path)
    {
        var message = _pipeline.Message(method, new Uri(account.Tables, path));
        message.Request.Headers.SetValue("Accept", Minimal);
        message.Request.Headers.SetValue("DataServiceVersion", "3.0;NetFx");
        message.Request.Headers.SetValue("MaxDataServiceVersion", "3.0;NetFx");
        return message;
    }

    private static void WriteBody(HttpMessage message, byte[] json)
    {
        message.Request.Headers.SetValue("Content-Type", "application/json");
        message.Request.Content = RequestContent.Create(json);
    }

    private string RowPath(string table, string partition, string row) =>
        $"{Name(table)}(PartitionKey='{Uri.EscapeDataString(partition)}',RowKey='{Uri.EscapeDataString(row)}')";
}

/// <summary>A filter in the service's language, and the properties wanted (null = all).</summary>
internal sealed record TableQuery(string Filter, string? Select = null)
{
    /// <summary>Rows of one partition whose key is above <paramref name="after"/> and below <paramref name="before"/>.</summary>
    public static TableQuery Range(string partition, string after, string before, string? select = null) =>
        new($"PartitionKey eq {Quote(partition)} and RowKey gt {Quote(after)} and RowKey lt {Quote(before)}", select);

    /// <summary>The same with a further condition.</summary>
    public TableQuery And(string condition) => this with { Filter = $"{Filter} and {condition}" };

    /// <summary>A text as a literal.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}

/// <summary>Rows in order, and where the next page begins; null = there is none.</summary>
internal sealed record TablePage(IReadOnlyList<TableEntity> Rows, TableContinuation? Next);

/// <summary>The service's continuation token.</summary>
internal readonly record struct TableContinuation(string Partition, string? Row);
