using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Omium.Azure.Tables;

/// <summary>
/// The body of an entity group transaction, and the one status that matters in its answer.
/// https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
/// </summary>
internal static class TableBatch
{
    /// <summary>Changes in one transaction.</summary>
    public const int OperationsMax = 100;

    /// <summary>Between the parts. The bodies are JSON without line breaks, so that no body can hold it at the start of a line.</summary>
    public const string Boundary = "batch_omium";

    private const string ChangesBoundary = "changeset_omium";

    public static byte[] Write(IReadOnlyList<TableOperation> operations, Func<TableOperation, Uri> address)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(operations.Count, OperationsMax);
        using var stream = new MemoryStream();
        using (var text = new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\r\n" })
        {
            text.WriteLine($"--{Boundary}");
            text.WriteLine($"Content-Type: multipart/mixed; boundary={ChangesBoundary}");
            text.WriteLine();
            foreach (var operation in operations)
            {
                text.WriteLine($"--{ChangesBoundary}");
                text.WriteLine("Content-Type: application/http");
                text.WriteLine("Content-Transfer-Encoding: binary");
                text.WriteLine();
                WriteOne(text, stream, operation, address(operation));
            }

            text.WriteLine($"--{ChangesBoundary}--");
            text.WriteLine($"--{Boundary}--");
        }

        return stream.ToArray();
    }

    /// <summary>The first refusal; when there is none, the status of the first change. A refused transaction changed nothing.</summary>
    public static (int Status, string Code) ReadStatus(BinaryData content)
    {
        var lines = content.ToString().Split('\n');
        var first = default((int Status, string Code)?);
        for (var at = 0; at < lines.Length; at++)
        {
            if (!lines[at].StartsWith("HTTP/1.1 ", StringComparison.Ordinal) || !int.TryParse(lines[at].AsSpan(9, 3), CultureInfo.InvariantCulture, out var status))
            {
                continue;
            }

            if (status >= 300)
            {
                return (status, CodeIn(lines.Skip(at)));
            }

            first ??= (status, "");
        }

        return first ?? throw new InvalidDataException("The answer to an entity group transaction holds no status.");
    }

    private static void WriteOne(StreamWriter text, MemoryStream stream, TableOperation operation, Uri address)
    {
        var (method, entity, tag) = operation switch
        {
            TableOperation.InsertRow insert => ("POST", insert.Entity, null),
            TableOperation.PutRow put => ("PUT", put.Entity, put.ETag),
            _ => ("DELETE", null, "*"),
        };
        text.WriteLine($"{method} {address.AbsoluteUri} HTTP/1.1");
        text.WriteLine("Accept: application/json;odata=minimalmetadata");
        text.WriteLine("DataServiceVersion: 3.0;");
        if (method == "POST")
        {
            text.WriteLine("Prefer: return-no-content");
        }

        if (tag is not null)
        {
            text.WriteLine($"If-Match: {tag}");
        }

        if (entity is null)
        {
            text.WriteLine();
            text.WriteLine();
            return;
        }

        text.WriteLine("Content-Type: application/json");
        var json = entity.ToJson();
        text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Content-Length: {json.Length}"));
        text.WriteLine();
        text.Flush();
        stream.Write(json);
        text.WriteLine();
    }

    private static string CodeIn(IEnumerable<string> lines)
    {
        var body = lines.Select(line => line.Trim()).FirstOrDefault(line => line.StartsWith('{'));
        if (body is null)
        {
            return "";
        }

        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.GetProperty("odata.error").GetProperty("code").GetString() ?? "";
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return "";
        }
    }
}
