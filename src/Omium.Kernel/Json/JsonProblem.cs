namespace Omium.Kernel.Json;

/// <summary>Why a text is not accepted as JSON.</summary>
/// <param name="Code">
/// Stable: <c>json_syntax</c>, <c>json_duplicate_name</c>, <c>json_number_range</c>, <c>json_too_deep</c>,
/// <c>json_too_large</c> or <c>json_invalid_text</c> (bytes that are not UTF-8, or a surrogate without its partner).
/// </param>
/// <param name="Message">One sentence for a person.</param>
/// <param name="Offset">Where in the text it was noticed, in bytes from the start.</param>
public sealed record JsonProblem(string Code, string Message, long Offset);

/// <summary>How much JSON is accepted. Sizes are in bytes of UTF-8.</summary>
public sealed record JsonLimits
{
    /// <summary>Deepest nesting that any part of the kernel walks by recursion, in arrays and objects.</summary>
    public const int DepthCeiling = 512;

    /// <summary>The defaults: 128 levels, 16 MiB.</summary>
    public static JsonLimits Default { get; } = new();

    /// <summary>Deepest nesting of arrays and objects. Default 128; never more than <see cref="DepthCeiling"/>.</summary>
    public int DepthMax { get; init; } = 128;

    /// <summary>Longest text, in bytes. Default 16 MiB.</summary>
    public long SizeMax { get; init; } = 16 * 1024 * 1024;
}
