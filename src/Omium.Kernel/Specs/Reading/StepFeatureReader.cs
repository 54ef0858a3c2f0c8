namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads the parts of a step that this kernel may not run yet: strictly as the others, then through the feature gate.</summary>
internal static class StepFeatureReader
{
    /// <summary>The names of the features used that are unavailable, each reported.</summary>
    public static IReadOnlyList<string> Read(ObjectReader step, StepType type)
    {
        var ofType = type switch
        {
            StepType.Workflow => UnavailableFeatures.WorkflowSteps,
            _ => null,
        };
        return ofType is not null && FeatureGate.Report(ofType, step.At("type"), step.Findings) ? [ofType] : [];
    }
}
