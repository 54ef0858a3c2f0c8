namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads the parts of a step that this kernel may not run yet: strictly as the others, then through the feature gate.</summary>
internal static class StepFeatureReader
{
    /// <summary>The names of the features used that are unavailable, each reported.</summary>
    public static IReadOnlyList<string> Read(ObjectReader step, StepType type)
    {
        ReadVerifiers(step);
        ReadForEach(step);
        _ = step.Texts("locks");
        _ = step.Texts("reads");
        _ = step.Texts("writes");

        string[] members =
        [
            UnavailableFeatures.Verifiers, UnavailableFeatures.ForEach, UnavailableFeatures.Locks, UnavailableFeatures.Reads, UnavailableFeatures.Writes,
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

    private static void ReadForEach(ObjectReader step)
    {
        if (step.Object("for_each", "\"for_each\"") is not { } reader)
        {
            return;
        }

        _ = reader.RequiredText("items");
        var parallel = reader.Integer("max_parallel");
        _ = reader.Choice("on_item_failure", ("rollback_item", 0), ("fail_step", 1), ("pause", 2));
        var ratio = reader.Number("max_failed_ratio");
        reader.Close();
        if (parallel < 1)
        {
            reader.Findings.Error(SpecCodes.OutOfBounds, reader.At("max_parallel"), "\"max_parallel\" must be at least 1.", "Write 1 or more.");
        }

        if (ratio is < 0 or > 1)
        {
            reader.Findings.Error(SpecCodes.OutOfBounds, reader.At("max_failed_ratio"), "\"max_failed_ratio\" must lie between 0 and 1.", "Write 0.6 for sixty per cent.");
        }
    }
}
