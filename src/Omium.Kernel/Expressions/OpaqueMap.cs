using System.Text.Json;

namespace Omium.Kernel.Expressions;

/// <summary>
/// A value that is too large for a decision to read: as JSON it is its reference, its projected members can be read, and anything else is a
/// failure that says so (never an answer made from a part).
/// </summary>
/// <param name="reference">What stands for the value in JSON.</param>
/// <param name="projection">The members that were kept, if any.</param>
/// <param name="isKept">Whether the projection holds this member whenever the value has it.</param>
internal sealed class OpaqueMap(JsonElement reference, CelMap? projection, Func<string, bool> isKept) : CelMap
{
    /// <summary>The failure of every expression that reads such a value.</summary>
    public static readonly CelFailure TooLarge =
        new(new ExpressionError(ExpressionErrorCode.Evaluation, "the value is too large to be read by an expression; pass it on whole, or let the step put out what is read here as a small member", 0));

    /// <summary>What stands for the value in JSON.</summary>
    public JsonElement Reference { get; } = reference;

    /// <summary>The failure of an expression that reads it.</summary>
    public CelFailure Failure { get; } = TooLarge;

    /// <inheritdoc/>
    public override int Count => 0;

    /// <inheritdoc/>
    public override IEnumerable<CelValue> Keys => [];

    /// <inheritdoc/>
    public override bool TryGet(CelValue key, out CelValue value)
    {
        if (projection is not null && projection.TryGet(key, out value))
        {
            return true;
        }

        value = TooLarge;
        return key is not CelString name || projection is null || !isKept(name.Value);
    }
}
