using System.Collections.Immutable;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

public sealed partial record VisitState
{
    /// <summary>Of a <c>for_each</c> step: how far its items are; null before its list is known, and of every other visit.</summary>
    public ItemsState? Items { get; init; }

    /// <summary>Of an item: the undoing of its own effects, which runs beside everything else; null when none does.</summary>
    public RollbackState? Rollback { get; init; }

    /// <summary>Of an item: the visit of its step; null of every other visit.</summary>
    public VisitKey? ItemOf => Key.IsItem ? After[0] : null;
}

/// <summary>
/// How far the items of one visit of a <c>for_each</c> step are. Kept as counts and sets, so that what follows one item never costs more for many
/// items than for few.
/// </summary>
public sealed record ItemsState(int Count, IReadOnlyList<ItemChunk> Chunks)
{
    /// <summary>The first item that was never begun; <see cref="Count"/> when all were.</summary>
    public int Next { get; init; }

    /// <summary>Items to begin again, before <see cref="Next"/>: their step is tried again, or they were taken back alone.</summary>
    public ImmutableSortedSet<int> Again { get; init; } = [];

    /// <summary>Items begun and not settled.</summary>
    public int Open { get; init; }

    /// <summary>Items that committed.</summary>
    public int Succeeded { get; init; }

    /// <summary>Items that a person skipped.</summary>
    public int Skipped { get; init; }

    /// <summary>Items that failed for good.</summary>
    public ImmutableSortedSet<int> Failed { get; init; } = [];

    /// <summary>The item to begin next, were there room for one; null when every item was begun.</summary>
    public int? Following => Again.Count > 0 ? Again.Min : Next < Count ? Next : null;

    /// <summary>The item to begin now; null when none is left, when as many are under way as may be, or when a failed one stops the step.</summary>
    public int? Due(ForEachSpec spec) => Open < spec.ParallelMax && !IsStopped(spec) ? Following : null;

    /// <summary>True when nothing is under way and nothing will be begun any more.</summary>
    public bool IsSettled(ForEachSpec spec) => Open == 0 && (IsStopped(spec) || Following is null);

    /// <summary>The chunk that holds an item.</summary>
    public ItemChunk ChunkOf(int index)
    {
        var (low, high) = (0, Chunks.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = Chunks[middle].First <= index ? (middle, high) : (low, middle - 1);
        }

        return Chunks[low];
    }

    private bool IsStopped(ForEachSpec spec) => spec.OnItemFailure == ItemFailure.FailStep && Failed.Count > 0;
}
