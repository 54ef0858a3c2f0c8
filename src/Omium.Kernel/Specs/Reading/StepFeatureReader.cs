namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads the parts of a step that this kernel may not run yet: strictly as the others, then through the feature gate.</summary>
internal static class StepFeatureReader
{
    /// <summary>The names of the features used that are unavailable, each reported.</summary>
    public static IReadOnlyList<string> Read(ObjectReader step, StepType type)
    {
        ReadVerifiers(step);
        _ = step.Texts("locks");
        _ = step.Texts("reads");
        _ = step.Texts("writes");

        string[] members =
        [
            UnavailableFeatures.Verifiers, UnavailableFeatures.Locks, UnavailableFeatures.Reads, UnavailableFeatures.Writes,
        ];
        var used = members.Where(feature => FeatureGate.ReportMember(step, feature)).ToList();
        var ofType = type switch
        {
            StepType.Worker => UnavailableFeatures.WorkerSteps,
            _ => null,
        };
        if (ofType is not null && FeatureGate.Report(ofType, step.At("type"), step.Findings))
        {
            used.Add(ofType);
        }

        return used;
    }

    private static void ReadVerifiers(ObjectReader step)
    {
        if (step.Object("verifiers", "\"verifiers\"") is not { } reader)
        {
            return;
        }

        reader.RequireMember("of");
        var quorum = reader.Integer("quorum");
        var agents = reader.Texts("of");
        reader.Close();
        if (quorum is { } needed && (needed < 1 || needed > agents.Count))
        {
            reader.Findings.Error(
                SpecCodes.OutOfBounds, reader.At("quorum"), $"A quorum of {needed} out of {agents.Count} can never be met in a meaningful way.", "Write 1 up to the number of agents.");
        }
    }
}
