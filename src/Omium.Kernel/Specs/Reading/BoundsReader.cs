namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads <c>bounds</c>.</summary>
internal static class BoundsReader
{
    public static BoundsSpec Read(ObjectReader workflow)
    {
        var standard = new BoundsSpec();
        if (workflow.Object("bounds", "\"bounds\"") is not { } reader)
        {
            return standard;
        }

        var bounds = new BoundsSpec
        {
            VisitsMax = reader.Integer("max_visits") ?? standard.VisitsMax,
            SameCallsMax = reader.Integer("max_same_calls") ?? standard.SameCallsMax,
            SameEffectsMax = reader.Integer("max_same_effects") ?? standard.SameEffectsMax,
            SameVisitsMax = reader.Integer("max_same_visits") ?? standard.SameVisitsMax,
        };
        reader.Close();
        return bounds;
    }
}
