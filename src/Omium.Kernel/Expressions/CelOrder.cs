namespace Omium.Kernel.Expressions;

/// <summary>CEL's equality and order of values.</summary>
internal static class CelOrder
{
    private const double TwoTo63 = 9223372036854775808.0;
    private const double TwoTo64 = 18446744073709551616.0;

    /// <summary>Values nested deeper than this are never equal; <see cref="AreEqual"/> then leaves a negative budget.</summary>
    public const int DepthMax = 500;

    /// <summary>The budget that is left where a value is too large to be read.</summary>
    public const long Opaque = long.MinValue / 2;

    /// <summary>
    /// Whether two values are equal. Takes one unit of the budget per element compared and per 16 characters; when the budget is
    /// used up it is left negative and the answer means nothing.
    /// </summary>
    public static bool AreEqual(CelValue left, CelValue right, ref long budget, int depth)
    {
        if (--budget < 0 || depth > DepthMax)
        {
            budget = -1;
            return false;
        }

        switch (left, right)
        {
            case (CelString one, CelString other):
                budget -= Math.Min(one.Value.Length, other.Value.Length) / 16;
                return one.Value == other.Value;
            case (CelBytes one, CelBytes other):
                budget -= Math.Min(one.Value.Length, other.Value.Length) / 16;
                return one.Value.Span.SequenceEqual(other.Value.Span);
            case (CelList one, CelList other):
                return ListsEqual(one, other, ref budget, depth);
            case (OpaqueMap, CelNull) or (CelNull, OpaqueMap):
                return false;
            case (OpaqueMap, _) or (_, OpaqueMap):
                budget = Opaque;
                return false;
            case (CelMap one, CelMap other):
                return MapsEqual(one, other, ref budget, depth);
            case (CelTypeValue one, CelTypeValue other):
                return one.Name == other.Name;
            case (CelNull, CelNull):
                return true;
            default:
                return IsNumber(left) == IsNumber(right) && Compare(left, right) == 0;
        }
    }

    /// <summary>
    /// Minus, zero or plus one; <see cref="Unordered"/> when a NaN takes part; null when there is no order between the kinds.
    /// </summary>
    public static int? Compare(CelValue left, CelValue right) => (left, right) switch
    {
        (CelInt one, CelInt other) => one.Value.CompareTo(other.Value),
        (CelDouble one, CelDouble other) => Compare(one.Value, other.Value),
        (CelInt one, CelDouble other) => Flip(Compare(other.Value, one.Value)),
        (CelDouble one, CelInt other) => Compare(one.Value, other.Value),
        (CelUint one, CelUint other) => one.Value.CompareTo(other.Value),
        (CelUint one, CelDouble other) => Flip(Compare(other.Value, one.Value)),
        (CelDouble one, CelUint other) => Compare(one.Value, other.Value),
        (CelInt one, CelUint other) => one.Value < 0 ? -1 : ((ulong)one.Value).CompareTo(other.Value),
        (CelUint one, CelInt other) => other.Value < 0 ? 1 : one.Value.CompareTo((ulong)other.Value),
        (CelString one, CelString other) => CompareText(one.Value, other.Value),
        (CelBool one, CelBool other) => one.Value.CompareTo(other.Value),
        (CelTimestamp one, CelTimestamp other) => one.CompareTo(other),
        (CelDuration one, CelDuration other) => one.Nanoseconds.CompareTo(other.Nanoseconds),
        (CelBytes one, CelBytes other) => Math.Sign(one.Value.Span.SequenceCompareTo(other.Value.Span)),
        _ => null,
    };

    /// <summary>What <see cref="Compare(CelValue, CelValue)"/> answers when a NaN takes part: neither less, equal nor greater.</summary>
    public const int Unordered = 2;

    public static bool IsNumber(CelValue value) => value.Kind is CelKind.Int or CelKind.Uint or CelKind.Double;

    /// <summary>Order by code points. UTF-16 order differs from it only between surrogates and the characters above them.</summary>
    public static int CompareText(string left, string right)
    {
        int common = left.AsSpan().CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
        {
            return left.Length.CompareTo(right.Length);
        }

        char one = left[common];
        char other = right[common];
        return char.IsSurrogate(one) != char.IsSurrogate(other) && one >= '\uD800' && other >= '\uD800'
            ? char.IsSurrogate(one) ? 1 : -1
            : one.CompareTo(other);
    }

    private static int Flip(int order) => order == Unordered ? Unordered : -order;

    private static int Compare(double left, double right) =>
        left < right ? -1 : left > right ? 1 : left == right ? 0 : Unordered;

    private static int Compare(double left, long right) =>
        left < -TwoTo63 ? -1 : left > TwoTo63 ? 1 : Compare(left, (double)right);

    private static int Compare(double left, ulong right) =>
        left < 0 ? -1 : left > TwoTo64 ? 1 : Compare(left, (double)right);

    private static bool ListsEqual(CelList left, CelList right, ref long budget, int depth)
    {
        int count = left.Count;
        if (count != right.Count)
        {
            return false;
        }

        for (int index = 0; index < count; index++)
        {
            if (!AreEqual(left[index], right[index], ref budget, depth + 1))
            {
                return false;
            }
        }

        return true;
    }

    private static bool MapsEqual(CelMap left, CelMap right, ref long budget, int depth)
    {
        if (left.Count != right.Count)
        {
            return false;
        }

        foreach (CelValue key in left.Keys)
        {
            if (!left.TryGet(key, out CelValue one) || !right.TryGet(key, out CelValue other)
                || !AreEqual(one, other, ref budget, depth + 1))
            {
                return false;
            }
        }

        return true;
    }
}
