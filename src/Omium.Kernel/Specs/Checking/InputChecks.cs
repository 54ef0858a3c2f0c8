using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Schemas;

namespace Omium.Kernel.Specs.Checking;

/// <summary>
/// The input that a tool_call step writes against the schema of its tool, as far as both are known: a constant input as a whole; else
/// missing and surplus members, and the members that hold no template.
/// </summary>
internal static class InputChecks
{
    public static void Check(CheckContext context)
    {
        foreach (var (step, _, pointer) in context.Steps())
        {
            var isKnown = step is { Type: StepType.ToolCall, Input: not null, Tool: not null }
                && context.Spec.Tools.TryGetValue(step.Tool, out var tool)
                && tool.InputSchema is { ValueKind: JsonValueKind.Object };
            if (isKnown)
            {
                CheckInput(context, step.Input!.Value, context.Spec.Tools[step.Tool!].InputSchema!.Value, pointer + "/input");
            }
        }
    }

    private static void CheckInput(CheckContext context, JsonElement input, JsonElement schema, string pointer)
    {
        if (IsConstant(input))
        {
            Validate(context, input, schema, pointer);
        }
        else if (input.ValueKind == JsonValueKind.Object)
        {
            CheckMembers(context, input, schema, pointer);
        }
    }

    private static void CheckMembers(CheckContext context, JsonElement input, JsonElement schema, string pointer)
    {
        if (schema.TryGetProperty("required", out var required) && required.ValueKind == JsonValueKind.Array)
        {
            foreach (var name in required.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!))
            {
                if (!input.TryGetProperty(name, out _))
                {
                    Report(context, pointer, $"The tool requires \"{name}\", which is not given.", $"Add \"{name}\".");
                }
            }
        }

        var properties = schema.TryGetProperty("properties", out var written) && written.ValueKind == JsonValueKind.Object ? written : default;
        var isClosed = schema.TryGetProperty("additionalProperties", out var additional) && additional.ValueKind == JsonValueKind.False && !schema.TryGetProperty("patternProperties", out _);
        foreach (var member in input.EnumerateObject())
        {
            JsonElement memberSchema = default;
            var isListed = properties.ValueKind == JsonValueKind.Object && properties.TryGetProperty(member.Name, out memberSchema);
            var memberPointer = JsonPointer.Append(pointer, member.Name);
            if (isListed && IsConstant(member.Value) && !memberSchema.GetRawText().Contains("\"$ref\"", StringComparison.Ordinal))
            {
                Validate(context, member.Value, memberSchema, memberPointer);
            }
            else if (!isListed && isClosed)
            {
                Report(context, memberPointer, $"The tool does not accept \"{member.Name}\".", "Remove it, or add it to the tool's input schema.");
            }
        }
    }

    private static void Validate(CheckContext context, JsonElement value, JsonElement schema, string pointer)
    {
        foreach (var violation in JsonSchema.TryCompile(schema, out _)?.Validate(value).Errors ?? [])
        {
            Report(context, pointer + violation.InstancePointer, $"The tool does not accept this: {violation.Message}", "Give what the tool's input schema asks for, or correct that schema.");
        }
    }

    private static bool IsConstant(JsonElement value) => Template.TryCompile(value, out _) is { IsConstant: true };

    private static void Report(CheckContext context, string pointer, string message, string mend) =>
        context.Findings.Error(SpecCodes.InputMismatch, pointer, message, mend);
}
