namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads <c>limits</c> of an agent or a tool.</summary>
internal static class LimitsReader
{
    public static LimitsSpec? Read(ObjectReader owner)
    {
        if (owner.Object("limits", "\"limits\"") is not { } reader)
        {
            return null;
        }

        FeatureGate.Report(UnavailableFeatures.Limits, reader.Pointer, reader.Findings);
        var concurrent = reader.Integer("concurrent");
        var perSecond = reader.Number("per_second");
        int? failures = null;
        TimeSpan? coolDown = null;
        if (reader.Object("breaker", "a circuit breaker") is { } breaker)
        {
            breaker.RequireMember("failures");
            failures = breaker.Integer("failures");
            coolDown = breaker.Duration("cool_down");
            breaker.Close();
        }

        reader.Close();
        return new LimitsSpec(concurrent, perSecond, failures, coolDown);
    }
}
