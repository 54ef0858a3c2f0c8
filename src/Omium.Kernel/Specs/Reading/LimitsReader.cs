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
        RequireBounds(reader, "concurrent", concurrent, 1, 10_000);
        RequireBounds(reader, "per_second", perSecond, 0.001, 10_000);
        RequireBounds(reader, "breaker", failures, 1, 1_000);
        RequireBounds(reader, "breaker", coolDown?.TotalSeconds, 0.1, 86_400);
        return new LimitsSpec(concurrent, perSecond, failures, coolDown);
    }

    private static void RequireBounds(ObjectReader reader, string name, double? value, double least, double most)
    {
        if (value is { } number && !(number >= least && number <= most))
        {
            reader.Findings.Error(
                SpecCodes.OutOfBounds, reader.At(name), $"\"{name}\" is out of bounds.",
                string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Write a number from {least} to {most}{(name == "breaker" ? " (failures; the cool_down in seconds)" : "")}."));
        }
    }
}
