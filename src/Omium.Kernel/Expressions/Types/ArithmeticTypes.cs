namespace Omium.Kernel.Expressions;

/// <summary>Which kinds the arithmetic operators take, and what they give.</summary>
internal static class ArithmeticTypes
{
    private static readonly (CelKind Left, CelKind Right, CelKind Result)[] _sums =
    [
        (CelKind.String, CelKind.String, CelKind.String),
        (CelKind.Bytes, CelKind.Bytes, CelKind.Bytes),
        (CelKind.List, CelKind.List, CelKind.List),
        (CelKind.Timestamp, CelKind.Duration, CelKind.Timestamp),
        (CelKind.Duration, CelKind.Timestamp, CelKind.Timestamp),
        (CelKind.Duration, CelKind.Duration, CelKind.Duration),
    ];

    private static readonly (CelKind Left, CelKind Right, CelKind Result)[] _differences =
    [
        (CelKind.Timestamp, CelKind.Timestamp, CelKind.Duration),
        (CelKind.Timestamp, CelKind.Duration, CelKind.Timestamp),
        (CelKind.Duration, CelKind.Duration, CelKind.Duration),
    ];

    private static readonly (CelKind Left, CelKind Right, CelKind Result)[] _numbers =
    [
        (CelKind.Int, CelKind.Int, CelKind.Int),
        (CelKind.Uint, CelKind.Uint, CelKind.Uint),
        (CelKind.Double, CelKind.Double, CelKind.Double),
    ];

    /// <summary>The type of the result; null when the operator cannot work on these types.</summary>
    public static CelType? TryApply(ArithmeticKind kind, CelType left, CelType right)
    {
        IEnumerable<(CelKind Left, CelKind Right, CelKind Result)> rules = kind switch
        {
            ArithmeticKind.Add => [.. _numbers, .. _sums],
            ArithmeticKind.Subtract => [.. _numbers, .. _differences],
            ArithmeticKind.Modulo => _numbers.Where(rule => rule.Left != CelKind.Double),
            _ => _numbers,
        };
        List<CelKind> results =
        [
            .. rules.Where(rule => (left.Kinds & (1 << (int)rule.Left)) != 0 && (right.Kinds & (1 << (int)rule.Right)) != 0)
                .Select(rule => rule.Result).Distinct(),
        ];
        return results.Count switch
        {
            0 => null,
            1 => results[0] == CelKind.List ? CelType.ListOf(CelType.Join(left.Element, right.Element)) : CelType.OfKind(results[0]),
            _ => CelType.Dyn,
        };
    }
}
