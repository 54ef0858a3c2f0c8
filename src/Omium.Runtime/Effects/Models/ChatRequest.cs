using System.Buffers;
using System.Text.Json;
using Omium.Kernel.Executions;

namespace Omium.Runtime.Effects.Models;

/// <summary>Writes a <see cref="ModelRequest"/> as the body of a chat completion.</summary>
internal static class ChatRequest
{
    /// <summary>The body. The same request and dialect always give the same bytes.</summary>
    public static byte[] Write(ModelRequest request, string model, ChatDialect dialect, bool stream)
    {
        var mode = dialect.Output;
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("model", model);
            json.WriteStartArray("messages");
            foreach (var message in request.Messages)
            {
                WriteMessage(json, message);
            }

            if (request.AnswerSchema is { } schema && mode is StructuredOutput.JsonObject or StructuredOutput.Words)
            {
                WriteMessage(json, new("system", "Answer with one JSON value that meets this JSON Schema, and with nothing else: " + schema.GetRawText()));
            }

            json.WriteEndArray();
            WriteSettings(json, request, dialect, stream);
            WriteTools(json, request.Tools);
            WriteFormat(json, request, mode);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteMessage(Utf8JsonWriter json, ModelMessage message)
    {
        json.WriteStartObject();
        json.WriteString("role", message.Role);
        json.WriteString("content", message.Content);
        if (message.ToolCallId is { } answered)
        {
            json.WriteString("tool_call_id", answered);
        }

        if (message.ToolCalls.Count > 0)
        {
            json.WriteStartArray("tool_calls");
            foreach (var call in message.ToolCalls)
            {
                json.WriteStartObject();
                json.WriteString("id", call.Id);
                json.WriteString("type", "function");
                json.WriteStartObject("function");
                json.WriteString("name", call.Name);
                json.WriteString("arguments", call.Arguments);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WriteSettings(Utf8JsonWriter json, ModelRequest request, ChatDialect dialect, bool stream)
    {
        if (request.Temperature is { } temperature)
        {
            json.WriteNumber("temperature", temperature);
        }

        if (request.AnswerTokensMax is { } tokens)
        {
            json.WriteNumber(dialect.HasCompletionTokens ? "max_completion_tokens" : "max_tokens", tokens);
        }

        if (stream)
        {
            json.WriteBoolean("stream", true);
            if (dialect.HasStreamOptions)
            {
                json.WriteStartObject("stream_options");
                json.WriteBoolean("include_usage", true);
                json.WriteEndObject();
            }
        }
    }

    private static void WriteTools(Utf8JsonWriter json, IReadOnlyList<ModelTool> tools)
    {
        if (tools.Count == 0)
        {
            return;
        }

        json.WriteStartArray("tools");
        foreach (var tool in tools)
        {
            json.WriteStartObject();
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", tool.Name);
            if (tool.Description is { } description)
            {
                json.WriteString("description", description);
            }

            if (tool.Parameters is { } parameters)
            {
                json.WritePropertyName("parameters");
                parameters.WriteTo(json);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteFormat(Utf8JsonWriter json, ModelRequest request, StructuredOutput mode)
    {
        if (request.AnswerSchema is not { } schema || mode == StructuredOutput.Words)
        {
            return;
        }

        json.WriteStartObject("response_format");
        json.WriteString("type", mode == StructuredOutput.JsonObject ? "json_object" : "json_schema");
        if (mode != StructuredOutput.JsonObject)
        {
            json.WriteStartObject("json_schema");
            json.WriteString("name", request.AnswerSchemaName);
            json.WriteBoolean("strict", IsStrict(schema));
            json.WritePropertyName("schema");
            schema.WriteTo(json);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>
    /// Strict decoding is promised only for schemas whose objects are all closed and name every property as required; another one would be
    /// refused as a whole, so it is asked for without the promise.
    /// </summary>
    private static bool IsStrict(JsonElement schema)
    {
        if (schema.ValueKind == JsonValueKind.Array)
        {
            return schema.EnumerateArray().All(IsStrict);
        }

        if (schema.ValueKind != JsonValueKind.Object)
        {
            return true;
        }

        if (schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object)
        {
            var isClosed = schema.TryGetProperty("additionalProperties", out var more) && more.ValueKind == JsonValueKind.False;
            var required = schema.TryGetProperty("required", out var names) && names.ValueKind == JsonValueKind.Array ? names.GetArrayLength() : 0;
            if (!isClosed || required != properties.EnumerateObject().Count() || !properties.EnumerateObject().All(property => IsStrict(property.Value)))
            {
                return false;
            }
        }
        else if (schema.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("object"))
        {
            return false;
        }

        return schema.EnumerateObject().All(member => member.Name is "properties" or "enum" or "const" or "default" or "examples" || IsStrict(member.Value));
    }
}
