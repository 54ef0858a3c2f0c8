using System.Text.Json;
using Omium.Kernel.Schemas;

namespace Omium.Kernel.Specs.Checking;

/// <summary>Every schema must compile.</summary>
internal static class SchemaChecks
{
    public static void Check(CheckContext context)
    {
        Compile(context, context.Spec.InputSchema, "/input/schema");
        foreach (var (name, tool) in context.Spec.Tools)
        {
            Compile(context, tool.InputSchema, CheckContext.ToolPointer(name) + "/input/schema");
            Compile(context, tool.OutputSchema, CheckContext.ToolPointer(name) + "/output/schema");
        }

        foreach (var (step, _, pointer) in context.Steps())
        {
            Compile(context, step.OutputSchema, pointer + "/output/schema");
        }

        foreach (var handoff in context.Spec.Edges.Select(edge => edge.Handoff).OfType<HandoffSpec>())
        {
            Compile(context, handoff.Schema, handoff.Pointer + "/schema");
        }
    }

    private static void Compile(CheckContext context, JsonElement? schema, string pointer)
    {
        if (schema is not { } source)
        {
            return;
        }

        _ = JsonSchema.TryCompile(source, out var problems);
        foreach (var problem in problems)
        {
            context.Findings.Error(SpecCodes.SchemaInvalid, pointer + problem.Pointer, problem.Message, "Correct the schema; it must be JSON Schema, draft 2020-12.");
        }
    }
}
