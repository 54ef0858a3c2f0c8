namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads <c>verifiers</c> of a step.</summary>
internal static class VerifiersReader
{
    public static VerifiersSpec? Read(ObjectReader step)
    {
        if (step.Object("verifiers", "\"verifiers\"") is not { } reader)
        {
            return null;
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

        return new VerifiersSpec(quorum ?? (agents.Count / 2) + 1, agents);
    }
}
