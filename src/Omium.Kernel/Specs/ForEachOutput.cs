using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;

namespace Omium.Kernel.Specs;

/// <summary>A compiled for_each.</summary>
public sealed record ForEachPlan(CelExpression Items, IReadOnlyList<GuardPlan> Pre, IReadOnlyList<GuardPlan> Post, JsonShape ItemShape)
{
    /// <summary>An item as expressions see it.</summary>
    internal Executions.ItemRoot Item(JsonElement value, int index) => new(value, ItemShape, index);
}

/// <summary>What a for_each step takes and gives, as types: its items, and the output that says what became of them.</summary>
internal static class ForEachOutput
{
    /// <summary>The schema under which a step's output is read: of a for_each step, the one of its summary with the step's own schema for each item.</summary>
    public static JsonElement? SchemaOf(StepSpec step)
    {
        if (step.ForEach is null)
        {
            return step.OutputSchema;
        }

        var integer = Type("integer");
        var failure = Typed("object", ("class", Type("string")), ("code", Type("string")), ("message", Type("string")));
        var item = Typed("object", ("index", integer), ("status", Type("string")), ("output", step.OutputSchema ?? default), ("failure", failure));
        return Typed("object",
            ("total", integer), ("succeeded", integer), ("failed", integer), ("skipped", integer),
            ("items", JsonMake.Object(("type", JsonMake.Text("array")), ("items", item))));
    }

    /// <summary>Which numbers of an item are whole, when the list is a plain path into something that has a schema; else nothing is said.</summary>
    public static JsonShape ItemShapeOf(WorkflowSpec spec, CelExpression items)
    {
        if (PathOf(items) is not { } path)
        {
            return JsonShape.Any;
        }

        var (schema, members) = path.Root == "input"
            ? (spec.InputSchema, path.Segments)
            : (spec.Steps.FirstOrDefault(step => step.Id == path.Segments[0]) is { } source ? SchemaOf(source) : null, [.. path.Segments.Skip(2)]);
        return schema is { } known ? members.Aggregate(JsonShape.FromSchema(known), (shape, member) => shape.Property(member)).Item(int.MaxValue) : JsonShape.Any;
    }

    /// <summary>The path that an expression consists of, when it is one into the workflow's input or a step's output; else null.</summary>
    public static ExpressionPath? PathOf(CelExpression items) =>
        items.Paths is [{ } path] && items.Text.Trim() == path.ToString() && (path.Root == "input" || (path.Root == "steps" && path.Segments.Count >= 2)) ? path : null;

    private static JsonElement Type(string name) => JsonMake.Object(("type", JsonMake.Text(name)));

    private static JsonElement Typed(string type, params ReadOnlySpan<(string Name, JsonElement Schema)> properties) =>
        JsonMake.Object(("type", JsonMake.Text(type)), ("properties", JsonMake.Object(properties)));
}
