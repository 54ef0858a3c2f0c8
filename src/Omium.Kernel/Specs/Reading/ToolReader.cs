using System.Text.Json;

namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads <c>tools</c>.</summary>
internal static class ToolReader
{
    private static readonly (string, ToolType)[] Types = [("http", ToolType.Http), ("mcp", ToolType.Mcp), ("function", ToolType.Function)];

    private static readonly (string, string)[] Methods = [.. new[] { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" }.Select(method => (method, method))];

    /// <summary>Which types a property belongs to; the others go with every type.</summary>
    private static readonly (string Property, ToolType Type)[] PropertiesOfTypes =
    [
        ("method", ToolType.Http), ("url", ToolType.Http), ("headers", ToolType.Http), ("body", ToolType.Http),
        ("server", ToolType.Mcp), ("tool", ToolType.Mcp), ("function", ToolType.Function),
    ];

    public static IReadOnlyDictionary<string, ToolSpec> ReadAll(ObjectReader workflow)
    {
        var tools = new Dictionary<string, ToolSpec>(StringComparer.Ordinal);
        foreach (var (name, source, pointer) in workflow.Members("tools"))
        {
            tools[name] = ObjectReader.Open(source, pointer, "a tool", workflow.Findings) is { } reader
                ? Read(name, reader)
                : new ToolSpec { Name = name, Type = ToolType.Function };
        }

        return tools;
    }

    private static ToolSpec Read(string name, ObjectReader reader)
    {
        reader.RequireMember("type");
        var type = reader.Choice("type", Types);
        var standard = new ToolSpec { Name = name, Type = type ?? TypeByProperties(reader) };
        var mcpTarget = reader.Text("tool");
        var functionTarget = reader.Text("function");
        var tool = standard with
        {
            Description = reader.Text("description"),
            InputSchema = reader.SchemaOf("input"),
            OutputSchema = reader.SchemaOf("output"),
            Method = reader.Word("method", Methods) ?? standard.Method,
            Url = reader.Text("url"),
            Headers = ReadHeaders(reader),
            Body = reader.Any("body"),
            Server = reader.Text("server"),
            Target = standard.Type == ToolType.Mcp ? mcpTarget : functionTarget,
            Guards = GuardReader.ReadAll(reader, "guards"),
            Timeout = reader.Duration("timeout") ?? standard.Timeout,
            Effect = EffectReader.Read(reader) ?? standard.Effect,
            Limits = LimitsReader.Read(reader),
        };
        reader.Close();
        if (type is { } known)
        {
            CheckProperties(reader, known);
        }

        return tool;
    }

    private static void CheckProperties(ObjectReader reader, ToolType type)
    {
        var typeWord = Types.First(pair => pair.Item2 == type).Item1;
        if (type == ToolType.Mcp)
        {
            reader.RequireMember("server");
            FeatureGate.Report(UnavailableFeatures.McpTools, reader.At("type"), reader.Findings);
        }

        if (type == ToolType.Http)
        {
            reader.RequireMember("url");
        }

        foreach (var (property, owner) in PropertiesOfTypes)
        {
            if (owner != type && reader.Has(property))
            {
                reader.Findings.Error(
                    SpecCodes.PropertyNotApplicable,
                    reader.At(property),
                    $"\"{property}\" does not go with a tool of type {typeWord}.",
                    $"Remove \"{property}\", or change the type.");
            }
        }
    }

    private static Dictionary<string, string> ReadHeaders(ObjectReader reader)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value, pointer) in reader.Members("headers"))
        {
            if (value.ValueKind == JsonValueKind.String)
            {
                headers[name] = value.GetString()!;
            }
            else
            {
                ObjectReader.ReportType(value, pointer, "a header must be a text", reader.Findings);
            }
        }

        return headers;
    }

    private static ToolType TypeByProperties(ObjectReader reader) =>
        reader.Has("url") ? ToolType.Http : reader.Has("server") ? ToolType.Mcp : ToolType.Function;
}
