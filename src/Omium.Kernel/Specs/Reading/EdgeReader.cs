namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads <c>edges</c>.</summary>
internal static class EdgeReader
{
    private static readonly (string, EdgeOn)[] Outcomes = [("success", EdgeOn.Success), ("failure", EdgeOn.Failure), ("always", EdgeOn.Always)];

    public static IEnumerable<EdgeSpec> ReadAll(ObjectReader workflow)
    {
        var edges = new List<EdgeSpec>();
        foreach (var (item, pointer) in workflow.Items("edges"))
        {
            if (ObjectReader.Open(item, pointer, "an edge", workflow.Findings) is { } reader)
            {
                edges.Add(Read(reader));
            }
        }

        return edges;
    }

    private static EdgeSpec Read(ObjectReader reader)
    {
        var edge = new EdgeSpec
        {
            From = reader.RequiredText("from"),
            To = reader.RequiredText("to"),
            On = reader.Choice("on", Outcomes) ?? EdgeOn.Success,
            When = reader.Text("when"),
            VisitsMax = reader.Integer("max_visits"),
            Handoff = HandoffReader.Read(reader),
            Pointer = reader.Pointer,
        };
        reader.Close();
        return edge;
    }
}
