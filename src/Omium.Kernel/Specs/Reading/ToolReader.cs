using System.Text.Json;

namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads <c>tools</c>.</summary>
internal static class ToolReader
{
    private static readonly (string, ToolType)[] Types = [("http", ToolType.Http), ("mcp", ToolType.Mcp), ("function", ToolType.Function)];

    private static readonly (string, string)[] Methods = [.. new[] { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" }.Select(method => (method, method))];

    /// <summary>Which types a property belongs to; the others go with every type.</summary>
    private static readonly (string Property, ToolType[] Types)[] PropertiesOfTypes =
    [
        ("method", [ToolType.Http]), ("url", [ToolType.Http]), ("headers", [ToolType.Http, ToolType.Mcp]), ("body", [ToolType.Http]),
        ("server", [ToolType.Mcp]), ("tool", [ToolType.Mcp]), ("function", [ToolType.Function]),
    ];

    /// <summary>Longest name of an MCP server.</summary>
    private const int ServerNameLengthMax = 63;

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
        var server = reader.Text("server");
        var tool = standard with
        {
            Description = reader.Text("description"),
            InputSchema = reader.SchemaOf("input"),
            OutputSchema = reader.SchemaOf("output"),
            Method = reader.Word("method", Methods) ?? standard.Method,
            Url = reader.Text("url") ?? (IsAddress(server) ? server : null),
            Headers = ReadHeaders(reader),
            Body = reader.Any("body"),
            Server = server,
            Target = standard.Type == ToolType.Mcp ? mcpTarget : functionTarget,
            Guards = GuardReader.ReadAll(reader, "guards"),
            Timeout = reader.Duration("timeout") ?? standard.Timeout,
            Effect = EffectReader.Read(reader) ?? standard.Effect,
            Limits = LimitsReader.Read(reader),
        };
        reader.Close();
        if (type is { } known)
        {
            CheckProperties(reader, known, server);
        }

        return tool;
    }

    private static void CheckProperties(ObjectReader reader, ToolType type, string? server)
    {
        var typeWord = Types.First(pair => pair.Item2 == type).Item1;
        if (type == ToolType.Mcp)
        {
            reader.RequireMember("server");
            CheckServer(reader, server);
        }

        if (type == ToolType.Http)
        {
            reader.RequireMember("url");
        }

        foreach (var (property, owners) in PropertiesOfTypes)
        {
            if (!owners.Contains(type) && reader.Has(property))
            {
                reader.Findings.Error(
                    SpecCodes.PropertyNotApplicable,
                    reader.At(property),
                    $"\"{property}\" does not go with a tool of type {typeWord}.",
                    $"Remove \"{property}\", or change the type.");
            }
        }
    }

    /// <summary>
    /// An MCP server is an address, which the workflow may name as it names any other, or the name of one that whoever runs Omium has set up: a workflow
    /// never says which program is started.
    /// </summary>
    private static void CheckServer(ObjectReader reader, string? server)
    {
        if (server is null || IsAddress(server))
        {
            return;
        }

        if (server.Length is 0 or > ServerNameLengthMax || !server.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.'))
        {
            reader.Findings.Error(
                SpecCodes.InvalidValue, reader.At("server"), "A server is an address that begins with http:// or https://, or the name of one that the installation has set up.",
                "Give its address; a server that is a program is set up by whoever runs Omium, and named here.");
        }
        else if (reader.Has("headers"))
        {
            reader.Findings.Error(
                SpecCodes.PropertyNotApplicable, reader.At("headers"), "\"headers\" go with the address of an MCP server; this one is named.", "Remove \"headers\", or give the server's address.");
        }
    }

    private static bool IsAddress(string? server) => server is not null
        && (server.StartsWith("http://", StringComparison.Ordinal) || server.StartsWith("https://", StringComparison.Ordinal) || server.StartsWith("${{", StringComparison.Ordinal));

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
