using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Omium.Runtime.Specs;

/// <summary>Plain scalars by the core schema of YAML 1.2.2 (section 10.3.2); everything quoted, and everything else, is text.</summary>
internal static partial class YamlScalar
{
    private const double IntegerMax = 9_007_199_254_740_991;

    public static void Write(Utf8JsonWriter json, Scalar scalar)
    {
        if (scalar.Style != ScalarStyle.Plain)
        {
            json.WriteStringValue(scalar.Value);
            return;
        }

        switch (scalar.Value)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                json.WriteNullValue();
                break;
            case "true" or "True" or "TRUE":
                json.WriteBooleanValue(true);
                break;
            case "false" or "False" or "FALSE":
                json.WriteBooleanValue(false);
                break;
            default:
                WriteNumberOrText(json, scalar);
                break;
        }
    }

    private static void WriteNumberOrText(Utf8JsonWriter json, Scalar scalar)
    {
        var text = scalar.Value;
        if (Infinite().IsMatch(text))
        {
            throw YamlToJson.Refuse("yaml_number", $"\"{text}\" is no number that JSON can hold. Quote it if it is a text.", scalar);
        }

        double? number = text switch
        {
            _ when text.Length > 400 => null,
            _ when Decimal().IsMatch(text) => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
            _ when Octal().IsMatch(text) => OfDigits(text.AsSpan(2), 8),
            _ when Hexadecimal().IsMatch(text) => OfDigits(text.AsSpan(2), 16),
            _ => null,
        };
        if (number is not { } value)
        {
            json.WriteStringValue(text);
            return;
        }

        var isIntegerText = !text.AsSpan().ContainsAny('.', 'e', 'E') || text.StartsWith("0x", StringComparison.Ordinal);
        if (double.IsInfinity(value) || (isIntegerText && Math.Abs(value) > IntegerMax))
        {
            throw YamlToJson.Refuse("yaml_number", $"{text} is out of range: integers are exact up to 2^53 - 1. Quote it if it is a text.", scalar);
        }

        json.WriteNumberValue(value);
    }

    private static double OfDigits(ReadOnlySpan<char> digits, int radix)
    {
        var value = 0d;
        foreach (var digit in digits)
        {
            value = (value * radix) + Convert.ToInt32(digit.ToString(), 16);
        }

        return value;
    }

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Decimal();

    [GeneratedRegex(@"^0o[0-7]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Octal();

    [GeneratedRegex(@"^0x[0-9a-fA-F]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Hexadecimal();

    [GeneratedRegex(@"^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\z", RegexOptions.CultureInvariant)]
    private static partial Regex Infinite();
}
