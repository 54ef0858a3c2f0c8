using Omium.Kernel.Json;

namespace Omium.Kernel.Specs.Suggestions;

/// <summary>What a suggestion would add.</summary>
public static class SuggestionKinds
{
    /// <summary>A place to come back to.</summary>
    public const string Checkpoint = "checkpoint";

    /// <summary>A check, or a declared plan.</summary>
    public const string Guard = "guard";

    /// <summary>A lock around an effect.</summary>
    public const string Lock = "lock";

    /// <summary>A recovery policy, or a part of one.</summary>
    public const string Recovery = "recovery";

    /// <summary>A person who approves before what cannot be taken back.</summary>
    public const string Approval = "approval";
}

/// <summary>Something that would make a workflow safer, to accept or to leave.</summary>
/// <param name="Id">Stable for the same spec: the kind, what it is about, and what it adds.</param>
/// <param name="Kind">One of <see cref="SuggestionKinds"/>.</param>
/// <param name="Pointer">JSON pointer (RFC 6901) to what it is about.</param>
/// <param name="Title">One line.</param>
/// <param name="Reason">Why, in a sentence or two.</param>
/// <param name="Patch">JSON Patch (RFC 6902) that accepts it. Patches of one answer may be applied in any number and order.</param>
public sealed record SpecSuggestion(string Id, string Kind, string Pointer, string Title, string Reason, IReadOnlyList<JsonPatchOperation> Patch);
