namespace Omium.Kernel.Expressions;

/// <summary>The math extension: <c>math.greatest</c> and its kin.</summary>
internal static class MathFunctions
{
    public static void AddTo(FunctionTable table)
    {
        AddExtremes(table);
        AddRounding(table);
        AddBits(table);
        table.Global("math.abs", "int -> int", call => call.Int(0) == long.MinValue ? call.Fail("the result overflows an int") : CelInt.Of(Math.Abs(call.Int(0))));
        table.Global("math.abs", "uint -> uint", call => call.Arguments[0]);
        table.Global("math.abs", "double -> double", call => new CelDouble(Math.Abs(call.Double(0))));
        table.Global("math.sign", "int -> int", call => CelInt.Of(Math.Sign(call.Int(0))));
        table.Global("math.sign", "uint -> uint", call => new CelUint(Uint(call, 0) == 0 ? 0UL : 1UL));
        table.Global("math.sign", "double -> double", call => new CelDouble(double.IsNaN(call.Double(0)) ? double.NaN : Math.Sign(call.Double(0))));
        table.Global("math.sqrt", "num -> double", call => new CelDouble(Math.Sqrt(call.Arguments[0] switch
        {
            CelInt integer => integer.Value,
            CelUint integer => integer.Value,
            _ => call.Double(0),
        })));
        table.Global("math.isNaN", "double -> bool", call => CelBool.Of(double.IsNaN(call.Double(0))));
        table.Global("math.isInf", "double -> bool", call => CelBool.Of(double.IsInfinity(call.Double(0))));
        table.Global("math.isFinite", "double -> bool", call => CelBool.Of(double.IsFinite(call.Double(0))));
    }

    private static void AddExtremes(FunctionTable table)
    {
        foreach ((string name, int sign) in ((string, int)[])[("math.greatest", 1), ("math.least", -1)])
        {
            table.Global(name, "num... -> dyn", call => Extreme(call, call.Arguments, sign));
            table.Global(name, "list -> dyn", call =>
            {
                var list = (CelList)call.Arguments[0];
                return list.Count == 0 ? call.Fail("the list is empty")
                    : !call.Evaluation.Spend(list.Count) ? call.Evaluation.Exhausted(call.Offset)
                    : Extreme(call, Enumerable.Range(0, list.Count).Select(index => list[index]), sign);
            });
        }
    }

    private static CelValue Extreme(Call call, IEnumerable<CelValue> values, int sign)
    {
        CelValue? best = null;
        foreach (CelValue value in values)
        {
            if (!CelOrder.IsNumber(value))
            {
                return Evaluation.FailType($"{call.Node.Name} needs numbers, not a {value.Type.Name}", call.Offset);
            }

            best = best is null || CelOrder.Compare(value, best) == sign ? value : best;
        }

        return best!;
    }

    private static void AddRounding(FunctionTable table)
    {
        table.Global("math.ceil", "double -> double", call => new CelDouble(Math.Ceiling(call.Double(0))));
        table.Global("math.floor", "double -> double", call => new CelDouble(Math.Floor(call.Double(0))));
        table.Global("math.trunc", "double -> double", call => new CelDouble(Math.Truncate(call.Double(0))));
        table.Global("math.round", "double -> double", call => new CelDouble(Math.Round(call.Double(0), MidpointRounding.AwayFromZero)));
    }

    private static void AddBits(FunctionTable table)
    {
        Bits(table, "math.bitAnd", (one, other) => one & other);
        Bits(table, "math.bitOr", (one, other) => one | other);
        Bits(table, "math.bitXor", (one, other) => one ^ other);
        table.Global("math.bitNot", "int -> int", call => CelInt.Of(~call.Int(0)));
        table.Global("math.bitNot", "uint -> uint", call => new CelUint(~Uint(call, 0)));

        // Shifts fill with zeros also for negative ints, and a shift by 64 or more gives zero.
        Shift(table, "math.bitShiftLeft", (value, places) => places > 63 ? 0 : value << (int)places);
        Shift(table, "math.bitShiftRight", (value, places) => places > 63 ? 0 : value >> (int)places);
    }

    private static void Bits(FunctionTable table, string name, Func<ulong, ulong, ulong> combine)
    {
        table.Global(name, "int int -> int", call => CelInt.Of(unchecked((long)combine((ulong)call.Int(0), (ulong)call.Int(1)))));
        table.Global(name, "uint uint -> uint", call => new CelUint(combine(Uint(call, 0), Uint(call, 1))));
    }

    private static void Shift(FunctionTable table, string name, Func<ulong, long, ulong> shift)
    {
        table.Global(name, "int int -> int", call => call.Int(1) < 0
            ? call.Fail("a shift by a negative number") : CelInt.Of(unchecked((long)shift((ulong)call.Int(0), call.Int(1)))));
        table.Global(name, "uint int -> uint", call => call.Int(1) < 0
            ? call.Fail("a shift by a negative number") : new CelUint(shift(Uint(call, 0), call.Int(1))));
    }

    private static ulong Uint(Call call, int index) => ((CelUint)call.Arguments[index]).Value;
}
