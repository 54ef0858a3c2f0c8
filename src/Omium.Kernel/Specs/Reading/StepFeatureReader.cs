namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads the parts of a step that this kernel may not run yet: strictly as the others, then through the feature gate.</summary>
internal static class StepFeatureReader
{
    /// <summary>The names of the features used that are unavailable, each reported.</summary>
    public static IReadOnlyList<string> Read(ObjectReader step, StepType type)
    {
        _ = step.Texts("locks");
        _ = step.Texts("reads");
        _ = step.Texts("writes");

        string[] members =
        [
            UnavailableFeatures.Locks, UnavailableFeatures.Reads, UnavailableFeatures.Writes,
        ];
        var used = members.Where(feature => FeatureGate.ReportMember(step, feature)).ToList();
        var ofType = type switch
        {
            StepType.Workflow => UnavailableFeatures.WorkflowSteps,
            _ => null,
        };
        if (ofType is not null && FeatureGate.Report(ofType, step.At("type"), step.Findings))
        {
            used.Add(ofType);
        }

        return used;
    }
}
