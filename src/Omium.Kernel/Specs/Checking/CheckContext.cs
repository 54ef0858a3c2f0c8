using System.Globalization;
using Omium.Kernel.Json;
using Omium.Kernel.Specs.Reading;

namespace Omium.Kernel.Specs.Checking;

/// <summary>What every check needs: the spec, its steps by id, its graph, and where findings go.</summary>
internal sealed class CheckContext
{
    private readonly Dictionary<string, int> _stepIndexes = new(StringComparer.Ordinal);

    public CheckContext(WorkflowSpec spec, FindingList findings)
    {
        (Spec, Findings) = (spec, findings);
        for (var index = 0; index < spec.Steps.Count; index++)
        {
            if (spec.Steps[index].Id.Length > 0)
            {
                _stepIndexes.TryAdd(spec.Steps[index].Id, index);
            }
        }

        Types = new SpecTypes(spec);
        Graph = new StepGraph(spec, _stepIndexes);
    }

    public WorkflowSpec Spec { get; }

    public FindingList Findings { get; }

    public StepGraph Graph { get; }

    public SpecTypes Types { get; }

    public IReadOnlyCollection<string> StepIds => _stepIndexes.Keys;

    /// <summary>The first step with this id; null = none.</summary>
    public int? StepIndex(string id) => _stepIndexes.TryGetValue(id, out var index) ? index : null;

    /// <summary>The effect that calling the step's tool has: the step's own declaration, else the tool's.</summary>
    public EffectSpec EffectOf(StepSpec step) =>
        step.Effect ?? (step.Tool is { } tool && Spec.Tools.TryGetValue(tool, out var spec) ? spec.Effect : EffectSpec.None);

    public static string StepPointer(int index) => string.Create(CultureInfo.InvariantCulture, $"/steps/{index}");

    public static string ToolPointer(string name) => JsonPointer.Append("/tools", name);

    public static string AgentPointer(string id) => JsonPointer.Append("/agents", id);
}
