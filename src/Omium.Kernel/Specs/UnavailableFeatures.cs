namespace Omium.Kernel.Specs;

/// <summary>
/// Parts of Workflow Spec v0 whose shape is read and checked, but which this kernel does not run yet. Each use is one error
/// <c>feature_unavailable</c>: nothing that is written is ignored in silence. A kernel that learns one removes its name here.
/// </summary>
public static class UnavailableFeatures
{
#pragma warning disable CS1591 // The names are the documentation: they are the words of the spec.
    public const string McpTools = "mcp";
#pragma warning restore CS1591

    /// <summary>Every name.</summary>
    public static readonly IReadOnlyList<string> All = [McpTools];

    /// <summary>True while the kernel does not run it.</summary>
    public static bool Includes(string feature) => All.Contains(feature);
}
