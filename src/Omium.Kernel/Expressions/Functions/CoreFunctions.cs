using System.Globalization;
using System.Text;

namespace Omium.Kernel.Expressions;

/// <summary>The functions of the CEL specification: sizes, conversions, and tests of text.</summary>
internal static class CoreFunctions
{
    private const double TwoTo63 = 9223372036854775808.0;
    private const double TwoTo64 = 18446744073709551616.0;
    private static readonly UTF8Encoding _strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static void AddTo(FunctionTable table)
    {
        table.Global("dyn", "any -> dyn", call => call.Arguments[0]);
        table.Global("type", "any -> type", call => call.Arguments[0].Type);
        AddSizes(table);
        AddTests(table);
        AddConversions(table);
    }

    private static void AddSizes(FunctionTable table)
    {
        foreach (Action<string, string, Func<Call, CelValue>> add in (Action<string, string, Func<Call, CelValue>>[])[table.Global, table.Member])
        {
            add("size", "string -> int", call => call.Read(call.Text(0).Length) ?? (CelValue)CelInt.Of(CelText.CountCodePoints(call.Text(0))));
            add("size", "bytes -> int", call => CelInt.Of(((CelBytes)call.Arguments[0]).Value.Length));
            add("size", "list -> int", call => CelInt.Of(((CelList)call.Arguments[0]).Count));
            add("size", "map -> int", call => call.Arguments[0] is OpaqueMap opaque ? opaque.Failure : CelInt.Of(((CelMap)call.Arguments[0]).Count));
        }
    }

    private static void AddTests(FunctionTable table)
    {
        table.Member("contains", "string string -> bool", call => call.Read(call.Text(0).Length)
            ?? (CelValue)CelBool.Of(call.Text(0).Contains(call.Text(1), StringComparison.Ordinal)));
        table.Member("startsWith", "string string -> bool", call => call.Read(call.Text(1).Length)
            ?? (CelValue)CelBool.Of(call.Text(0).StartsWith(call.Text(1), StringComparison.Ordinal)));
        table.Member("endsWith", "string string -> bool", call => call.Read(call.Text(1).Length)
            ?? (CelValue)CelBool.Of(call.Text(0).EndsWith(call.Text(1), StringComparison.Ordinal)));
        table.Global("matches", "string string -> bool", Matches);
        table.Member("matches", "string string -> bool", Matches);
    }

    private static CelValue Matches(Call call)
    {
        string pattern = call.Text(1);
        bool isConstant = call.Node.Children[1] is ConstantNode;

        // A constant pattern is compiled once; another may differ at every call, and compiling it is what costs.
        if (!call.Evaluation.Spend(isConstant ? 1 : 200 + (10L * pattern.Length)))
        {
            return call.Evaluation.Exhausted(call.Offset);
        }

        var compiled = call.Node.Prepared as CompiledPattern;
        if (compiled is null || compiled.Source != pattern)
        {
            call.Node.Prepared = compiled = CompiledPattern.Compile(pattern);
        }

        if (compiled.Regex is null)
        {
            return call.Fail(compiled.Problem!);
        }

        return call.Evaluation.Spend(compiled.CostOf(call.Text(0).Length))
            ? CelBool.Of(compiled.Regex.IsMatch(call.Text(0)))
            : call.Evaluation.Exhausted(call.Offset);
    }

    private static void AddConversions(FunctionTable table)
    {
        table.Global("bool", "bool -> bool", call => call.Arguments[0]);
        table.Global("bool", "string -> bool", ToBool);
        table.Global("bytes", "bytes -> bytes", call => call.Arguments[0]);
        table.Global("bytes", "string -> bytes", call =>
            call.Evaluation.BuildText(call.Text(0).Length, call.Offset) ?? (CelValue)new CelBytes(Encoding.UTF8.GetBytes(call.Text(0))));
        table.Global("double", "num -> double", call => new CelDouble(call.Arguments[0] switch
        {
            CelInt integer => integer.Value,
            CelUint integer => integer.Value,
            _ => call.Double(0),
        }));
        table.Global("double", "string -> double", ToDouble);
        table.Global("int", "num -> int", call => ToInt(call, call.Arguments[0]));
        table.Global("int", "timestamp -> int", call => CelInt.Of(((CelTimestamp)call.Arguments[0]).UnixSeconds));
        table.Global("int", "string -> int", call =>
            long.TryParse(call.Text(0), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
                ? CelInt.Of(number) : call.Fail($"{Quote(call.Text(0))} is no int"));
        table.Global("uint", "num -> uint", call => ToUint(call, call.Arguments[0]));
        table.Global("uint", "string -> uint", call =>
            ulong.TryParse(call.Text(0), NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
                ? new CelUint(number) : call.Fail($"{Quote(call.Text(0))} is no uint"));
        foreach (string scalar in (string[])["string", "bool", "num", "timestamp", "duration"])
        {
            table.Global("string", scalar + " -> string", call => call.Arguments[0] is CelString ? call.Arguments[0] : new CelString(CelText.Scalar(call.Arguments[0])));
        }

        table.Global("string", "bytes -> string", BytesToString);
    }

    /// <summary>A piece of a text for a message, so that a message stays short whatever the text.</summary>
    public static string Quote(string text) => text.Length <= 64 ? $"\"{text}\"" : $"\"{text[..64]}...\"";

    private static CelValue ToBool(Call call) => call.Text(0) switch
    {
        "1" or "t" or "T" or "true" or "TRUE" or "True" => CelBool.True,
        "0" or "f" or "F" or "false" or "FALSE" or "False" => CelBool.False,
        _ => call.Fail($"{Quote(call.Text(0))} is no bool"),
    };

    private static CelValue ToDouble(Call call)
    {
        string text = call.Text(0);
        string unsigned = text.StartsWith('+') || text.StartsWith('-') ? text[1..] : text;
        if (unsigned.Equals("nan", StringComparison.OrdinalIgnoreCase) && unsigned.Length == text.Length)
        {
            return new CelDouble(double.NaN);
        }

        if (unsigned.Equals("infinity", StringComparison.OrdinalIgnoreCase) || unsigned.Equals("inf", StringComparison.OrdinalIgnoreCase))
        {
            return new CelDouble(text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity);
        }

        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return call.Read(text.Length) ?? (double.TryParse(text, Style, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)
            ? new CelDouble(number) : (CelValue)call.Fail($"{Quote(text)} is no double"));
    }

    private static CelValue ToInt(Call call, CelValue value) => value switch
    {
        CelUint { Value: > long.MaxValue } => call.Fail($"{value} is out of the range of int"),
        CelUint integer => CelInt.Of((long)integer.Value),
        CelDouble number => number.Value is > -TwoTo63 and < TwoTo63
            ? CelInt.Of((long)number.Value) : call.Fail($"{value} is out of the range of int"),
        _ => value,
    };

    private static CelValue ToUint(Call call, CelValue value) => value switch
    {
        CelInt integer => integer.Value >= 0 ? new CelUint((ulong)integer.Value) : call.Fail($"{value} is out of the range of uint"),
        CelDouble number => number.Value is >= 0 and < TwoTo64
            ? new CelUint((ulong)number.Value) : call.Fail($"{value} is out of the range of uint"),
        _ => value,
    };

    private static CelValue BytesToString(Call call)
    {
        ReadOnlyMemory<byte> bytes = ((CelBytes)call.Arguments[0]).Value;
        if (call.Evaluation.BuildText(bytes.Length, call.Offset) is { } failure)
        {
            return failure;
        }

        return System.Text.Unicode.Utf8.IsValid(bytes.Span) ? new CelString(_strictUtf8.GetString(bytes.Span)) : call.Fail("the bytes are no UTF-8 text");
    }
}
