namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads <c>for_each</c> of a step.</summary>
internal static class ForEachReader
{
    private static readonly ForEachSpec Standard = new() { Items = "" };

    public static ForEachSpec? Read(ObjectReader step)
    {
        if (step.Object("for_each", "\"for_each\"") is not { } reader)
        {
            return null;
        }

        var items = reader.RequiredText("items");
        var parallel = reader.Integer("max_parallel") ?? Standard.ParallelMax;
        var onFailure = reader.Choice("on_item_failure", ("rollback_item", ItemFailure.RollbackItem), ("fail_step", ItemFailure.FailStep), ("pause", ItemFailure.Pause));
        var ratio = reader.Number("max_failed_ratio") ?? Standard.FailedRatioMax;
        var (pre, post) = ReadGuards(reader);
        reader.Close();
        return new ForEachSpec { Items = items, ParallelMax = parallel, OnItemFailure = onFailure ?? Standard.OnItemFailure, FailedRatioMax = ratio, Pre = pre, Post = post };
    }

    private static (IReadOnlyList<GuardSpec> Pre, IReadOnlyList<GuardSpec> Post) ReadGuards(ObjectReader forEach)
    {
        if (forEach.Object("guards", "\"guards\"") is not { } reader)
        {
            return ([], []);
        }

        var guards = (GuardReader.ReadAll(reader, "pre"), GuardReader.ReadAll(reader, "post"));
        reader.Close();
        return guards;
    }
}
