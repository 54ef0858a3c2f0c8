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

    private static readonly CelType Call = CelType.ObjectOf(
        new Dictionary<string, CelType>
        {
            ["tool"] = CelType.String, ["arguments"] = CelType.Dyn, ["turn"] = CelType.Int, ["ok"] = CelType.Bool, ["result"] = CelType.Dyn,
        },
        isClosed: true);

    private static readonly CelType Visit = CelType.ObjectOf(
        new Dictionary<string, CelType>
        {
            ["input"] = CelType.Dyn, ["number"] = CelType.Int, ["attempt"] = CelType.Int, ["calls"] = CelType.ListOf(Call), ["plan"] = CelType.Dyn,
        },
        isClosed: true);

    private readonly Dictionary<string, CelType> _arguments = new(StringComparer.Ordinal);
    private readonly Dictionary<int, CelType> _outputs = [];
    private readonly Dictionary<int, CelType> _items = [];
    private readonly Dictionary<int, CelType> _itemOutputs = [];
    private CelType? _input;
    private CelType? _steps;

    /// <summary>The type of a name at a place. What the place does not know is Dyn: that is reported by name already.</summary>
    public CelType Of(string root, ExpressionScope scope) => root switch
    {
        "input" when scope.ArgumentsOf is { } tool => Arguments(tool),
        "input" => _input ??= OfSchema(spec.InputSchema),
        "item" when scope is { OfItem: true, Reader: { } step } => Item(step),
        "item_index" when scope.OfItem => CelType.Int,
        "output" when scope is { OfItem: true, Reader: { } step } => ItemOutput(step),
        "output" when scope.Reader is { } step => Output(step),
        "steps" => _steps ??= Steps(),
        "execution" => Execution,
        "failure" => Failure,
        "visit" => Visit,
        "call" => Call,
        "now" => CelType.Timestamp,
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
            type = _outputs[step] = OfSchema(ForEachOutput.SchemaOf(spec.Steps[step]));
        }

        return type;
    }

    /// <summary>What one item of a for_each step gives.</summary>
    private CelType ItemOutput(int step)
    {
        if (!_itemOutputs.TryGetValue(step, out var type))
        {
            type = _itemOutputs[step] = OfSchema(spec.Steps[step].OutputSchema);
        }

        return type;
    }

    /// <summary>An item is typed where its values are: when the list is a plain path into something that has a schema.</summary>
    private CelType Item(int step)
    {
        if (!_items.TryGetValue(step, out var type))
        {
            var list = spec.Steps[step].ForEach is { } each ? CelExpression.TryCompile(each.Items, out _) : null;
            type = CelType.Dyn;
            if (list is not null && ForEachOutput.PathOf(list) is not null)
            {
                CelTypeChecker.Check(list, root => Of(root, ExpressionScope.ItemList(step)), out var listed);
                type = listed.Kind == CelKind.List ? listed.Element : CelType.Dyn;
            }

            _items[step] = type;
        }

        return type;
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
