namespace Omium.Kernel.Specs.Reading;

/// <summary>Reports features of the contract that this kernel does not run yet.</summary>
internal static class FeatureGate
{
    /// <summary>Reports the feature at <paramref name="pointer"/> when it is unavailable; true then.</summary>
    public static bool Report(string feature, string pointer, FindingList findings)
    {
        if (!UnavailableFeatures.Includes(feature))
        {
            return false;
        }

        findings.Error(
            SpecCodes.FeatureUnavailable,
            pointer,
            $"\"{feature}\" is part of Workflow Spec v0, but this version of Omium does not run it yet.",
            "Leave it out, or wait for a version that runs it; it is never ignored in silence.");
        return true;
    }
}
