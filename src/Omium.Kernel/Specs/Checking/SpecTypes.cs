using System.Text.Json;
using Omium.Kernel.Expressions;

namespace Omium.Kernel.Specs.Checking;

/// <summary>
/// The types of the names that expressions start with, as the kernel will bind them. Each schema is looked at once. The output of a step is
/// typed by the schema of the step alone, as values are; it may be null, because a skipped step has none.
/// </summary>
internal sealed class SpecTypes(WorkflowSpec spec)
{
    private static readonly CelType Execution = CelType.ObjectOf(
        new Dictionary<string, CelType> { ["id"] = CelType.String, ["workflow"] = CelType.String, ["version"] = CelType.Int }, isClosed: true);

    private static readonly CelType Failure = CelType.ObjectOf(
        new Dictionary<string, CelType>
        {
            ["class"] = CelType.String, ["code"] = CelType.String, ["message"] = CelType.String, ["step"] = CelType.String, ["attempt"] = CelType.Int,
        },
        isClosed: true);

    private readonly Dictionary<string, CelType> _arguments = new(StringComparer.Ordinal);
    private readonly Dictionary<int, CelType> _outputs = [];
    private CelType? _input;
    private CelType? _steps;

    /// <summary>The type of a name at a place. What the place does not know is Dyn: that is reported by name already.</summary>
    public CelType Of(string root, ExpressionScope scope) => root switch
    {
        "input" when scope.ArgumentsOf is { } tool => Arguments(tool),
        "input" => _input ??= OfSchema(spec.InputSchema),
        "output" when scope.Reader is { } step => Output(step),
        "steps" => _steps ??= Steps(),
        "execution" => Execution,
        "failure" => Failure,
        "now" => CelType.Timestamp,
        "handoff" when scope.Reader is { } receiver => Message(receiver),
        _ => CelType.Dyn,
    };

    private static CelType OfSchema(JsonElement? schema) => schema is { } source ? CelType.FromJsonSchema(source) : CelType.Dyn;

    private CelType Arguments(string tool)
    {
        if (!_arguments.TryGetValue(tool, out var type))
        {
            type = _arguments[tool] = spec.Tools.TryGetValue(tool, out var known) ? OfSchema(known.InputSchema) : CelType.Dyn;
        }

        return type;
    }

    private CelType Output(int step)
    {
        if (!_outputs.TryGetValue(step, out var type))
        {
            type = _outputs[step] = OfSchema(spec.Steps[step].OutputSchema);
        }

        return type;
    }

    /// <summary>The agreed message: what the handoff asks of it, else what its sender puts out.</summary>
    private CelType Message(int receiver)
    {
        var edge = spec.Edges.FirstOrDefault(edge => edge.Handoff is not null && edge.To == spec.Steps[receiver].Id);
        return edge is null ? CelType.Dyn
            : edge.Handoff!.Schema is { } schema ? OfSchema(schema)
            : OfSchema(spec.Steps.FirstOrDefault(step => step.Id == edge.From)?.OutputSchema);
    }

    // Open objects: a step or member that does not exist is reported as a reference, with a suggestion.
    private CelType Steps()
    {
        var types = new Dictionary<string, CelType>(StringComparer.Ordinal);
        for (var index = 0; index < spec.Steps.Count; index++)
        {
            var output = new Dictionary<string, CelType> { ["output"] = Output(index).Nullable() };
            types.TryAdd(spec.Steps[index].Id, CelType.ObjectOf(output, isClosed: false));
        }

        return CelType.ObjectOf(types, isClosed: false);
    }
}
