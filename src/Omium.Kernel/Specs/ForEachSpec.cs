using System.Text.Json.Serialization;

namespace Omium.Kernel.Specs;

/// <summary>Runs a step once for every item of a list, each as an atomic action of its own.</summary>
public sealed record ForEachSpec
{
    /// <summary>Code of the failure of a step of which more items failed than <see cref="FailedRatioMax"/> puts up with; its class is <see cref="FailureClasses.ItemsFailed"/>.</summary>
    public const string TooManyFailedCode = "too_many_items_failed";

    /// <summary>The list (expression); at most <see cref="SpecLimits.ItemsMax"/> items.</summary>
    public required string Items { get; init; }

    /// <summary>Most items under way at a time; default 10.</summary>
    public int ParallelMax { get; init; } = 10;

    /// <summary>What follows an item that has failed and is not tried again; default: it is undone alone and the others go on.</summary>
    public ItemFailure OnItemFailure { get; init; }

    /// <summary>The step fails when failed items / all items is above this; default 0: no failed item is put up with unless the spec says so.</summary>
    public double FailedRatioMax { get; init; }

    /// <summary>Checked once before the list is made.</summary>
    public IReadOnlyList<GuardSpec> Pre { get; init; } = [];

    /// <summary>Checked once on the step's output, when every item is settled.</summary>
    public IReadOnlyList<GuardSpec> Post { get; init; } = [];
}

/// <summary>What follows an item that has failed for good.</summary>
public enum ItemFailure
{
    /// <summary>What it did is undone, it counts as failed, the others go on.</summary>
    [JsonStringEnumMemberName("rollback_item")]
    RollbackItem,

    /// <summary>No further item begins; when those under way are settled, the step fails as the item did.</summary>
    [JsonStringEnumMemberName("fail_step")]
    FailStep,

    /// <summary>The execution pauses and a person is asked about that item.</summary>
    [JsonStringEnumMemberName("pause")]
    Pause,
}
