namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads lists of guards.</summary>
internal static class GuardReader
{
    /// <summary>Guards under <paramref name="name"/>. An unreadable one keeps its place with an empty check.</summary>
    public static IReadOnlyList<GuardSpec> ReadAll(ObjectReader owner, string name)
    {
        var guards = new List<GuardSpec>();
        foreach (var (item, pointer) in owner.Items(name))
        {
            if (ObjectReader.Open(item, pointer, "a guard", owner.Findings) is not { } reader)
            {
                guards.Add(new GuardSpec("", FailureClasses.GuardFailed, null));
                continue;
            }

            guards.Add(new GuardSpec(reader.RequiredText("check"), reader.Text("code") ?? FailureClasses.GuardFailed, reader.Text("message")));
            reader.Close();
        }

        return guards;
    }
}
