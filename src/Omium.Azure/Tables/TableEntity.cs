using System.Globalization;
using System.Text.Json;

namespace Omium.Azure.Tables;

/// <summary>One row: its keys, its tag, and properties of the types that Omium stores (text, 64-bit integer, truth, bytes).</summary>
internal sealed class TableEntity(string partition, string row)
{
    private readonly SortedDictionary<string, object> _properties = new(StringComparer.Ordinal);

    public string Partition { get; } = partition;

    public string Row { get; } = row;

    /// <summary>The service's tag of the row as read; "" when it was not read.</summary>
    public string ETag { get; init; } = "";

    public TableEntity With(string name, string value) => Set(name, value);

    public TableEntity With(string name, long value) => Set(name, value);

    public TableEntity With(string name, bool value) => Set(name, value);

    public TableEntity With(string name, byte[] value) => Set(name, value);

    public string Text(string name) => _properties.TryGetValue(name, out var value) ? (string)value : "";

    public long Number(string name) => _properties.TryGetValue(name, out var value) ? (long)value : 0;

    public bool Truth(string name) => _properties.TryGetValue(name, out var value) && (bool)value;

    public byte[]? Bytes(string name) => _properties.TryGetValue(name, out var value) ? (byte[])value : null;

    /// <summary>The row as the service takes it. https://learn.microsoft.com/rest/api/storageservices/payload-format-for-table-service-operations</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("PartitionKey", Partition);
        json.WriteString("RowKey", Row);
        foreach (var (name, value) in _properties)
        {
            switch (value)
            {
                case string text:
                    json.WriteString(name, text);
                    break;
                case bool truth:
                    json.WriteBoolean(name, truth);
                    break;
                case long number:
                    json.WriteString(name + "@odata.type", "Edm.Int64");
                    json.WriteString(name, number.ToString(CultureInfo.InvariantCulture));
                    break;
                case byte[] bytes:
                    json.WriteString(name + "@odata.type", "Edm.Binary");
                    json.WriteBase64String(name, bytes);
                    break;
            }
        }

        json.WriteEndObject();
    }

    public byte[] ToJson()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            Write(json);
        }

        return stream.ToArray();
    }

    /// <summary>Reads a row as the service sends it, with minimal metadata.</summary>
    public static TableEntity Read(JsonElement json)
    {
        var entity = new TableEntity(TextOf(json, "PartitionKey"), TextOf(json, "RowKey")) { ETag = TextOf(json, "odata.etag") };
        foreach (var member in json.EnumerateObject())
        {
            if (member.Name is "PartitionKey" or "RowKey" or "Timestamp" || member.Name.Contains("odata.", StringComparison.Ordinal))
            {
                continue;
            }

            var type = TextOf(json, member.Name + "@odata.type");
            entity._properties[member.Name] = (member.Value.ValueKind, type) switch
            {
                (JsonValueKind.String, "Edm.Int64") => long.Parse(member.Value.GetString()!, CultureInfo.InvariantCulture),
                (JsonValueKind.String, "Edm.Binary") => member.Value.GetBytesFromBase64(),
                (JsonValueKind.String, _) => member.Value.GetString()!,
                (JsonValueKind.Number, _) => member.Value.GetInt64(),
                (JsonValueKind.True or JsonValueKind.False, _) => member.Value.GetBoolean(),
                _ => "",
            };
        }

        return entity;
    }

    private static string TextOf(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

    private TableEntity Set(string name, object value)
    {
        _properties[name] = value;
        return this;
    }
}
