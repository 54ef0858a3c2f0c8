using System.Globalization;
using System.Text.Json;
using Omium.Kernel.Expressions;

namespace Omium.Runtime.Conformance;

/// <summary>The outcome of one case.</summary>
/// <param name="Name">The case's name: <c>string/size/one_ascii</c>.</param>
/// <param name="Expression">The expression's text.</param>
/// <param name="Passed">Whether the answer is the one expected.</param>
/// <param name="Detail">What was expected and what came instead; empty when it passed.</param>
public sealed record CelCaseOutcome(string Name, string Expression, bool Passed, string Detail);

/// <summary>
/// Runs conformance cases of the Common Expression Language: a JSON array of <c>{name, expr, bindings?, value | error: true}</c>, where
/// values are tagged (<c>{"int": "1"}</c>, <c>{"list": [...]}</c>, <c>{"map": [[key, value], ...]}</c>).
/// </summary>
public static class CelCases
{
    /// <summary>Runs every case of a file. Throws when the file cannot be read or is no array of cases.</summary>
    public static IReadOnlyList<CelCaseOutcome> RunFile(string path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return [.. document.RootElement.EnumerateArray().Select(Run)];
    }

    /// <summary>Runs one case.</summary>
    public static CelCaseOutcome Run(JsonElement test)
    {
        string name = test.GetProperty("name").GetString()!;
        string text = test.GetProperty("expr").GetString()!;
        var bindings = new DictionaryBindings();
        if (test.TryGetProperty("bindings", out JsonElement bound))
        {
            foreach (JsonProperty binding in bound.EnumerateObject())
            {
                bindings.Set(binding.Name, ReadValue(binding.Value));
            }
        }

        CelExpression? expression = CelExpression.TryCompile(text, out ExpressionError? error);
        ExpressionResult? result = expression?.Evaluate(bindings);
        error ??= result?.Error;
        bool expectsError = test.TryGetProperty("error", out JsonElement flag) && flag.ValueKind == JsonValueKind.True;
        if (expectsError)
        {
            return new CelCaseOutcome(name, text, error is not null, error is not null ? "" : $"expected an error, got {Show(result!.Value!)}");
        }

        CelValue expected = ReadValue(test.GetProperty("value"));
        return error is not null
            ? new CelCaseOutcome(name, text, false, $"expected {Show(expected)}, got {error.Code}: {error.Message}")
            : Compare(name, text, expected, result!.Value!);
    }

    private static CelCaseOutcome Compare(string name, string text, CelValue expected, CelValue actual)
    {
        bool passed = IsSame(expected, actual);
        return new CelCaseOutcome(name, text, passed, passed ? "" : $"expected {Show(expected)}, got {Show(actual)}");
    }

    private static string Show(CelValue value) => $"{value.Type.Name} {value}";

    /// <summary>The value that a tagged JSON value stands for.</summary>
    public static CelValue ReadValue(JsonElement tagged)
    {
        JsonProperty only = tagged.EnumerateObject().Single();
        JsonElement body = only.Value;
        return only.Name switch
        {
            "null" => CelNull.Instance,
            "bool" => CelBool.Of(body.GetBoolean()),
            "int" => CelInt.Of(long.Parse(body.GetString()!, CultureInfo.InvariantCulture)),
            "uint" => new CelUint(ulong.Parse(body.GetString()!, CultureInfo.InvariantCulture)),
            "double" => new CelDouble(double.Parse(body.GetString()!, CultureInfo.InvariantCulture)),
            "string" => new CelString(body.GetString()!),
            "bytes" => new CelBytes(body.EnumerateArray().Select(item => item.GetByte()).ToArray()),
            "list" => CelList.Of([.. body.EnumerateArray().Select(ReadValue)]),
            "map" => CelMap.Of(body.EnumerateArray().Select(entry => new KeyValuePair<CelValue, CelValue>(ReadValue(entry[0]), ReadValue(entry[1])))),
            "type" => CelTypeValue.TryNamed(body.GetString()!) ?? throw new FormatException($"there is no type {body}"),
            _ => throw new FormatException($"there are no values tagged {only.Name}"),
        };
    }

    /// <summary>Stricter than CEL's equality: kinds must agree, NaN is the same as NaN, and -0 is not 0.</summary>
    private static bool IsSame(CelValue expected, CelValue actual)
    {
        if (expected.Kind != actual.Kind)
        {
            return false;
        }

        return (expected, actual) switch
        {
            (CelDouble one, CelDouble other) => one.Value.Equals(other.Value) && double.IsNegative(one.Value) == double.IsNegative(other.Value),
            (CelList one, CelList other) => one.Count == other.Count && Enumerable.Range(0, one.Count).All(index => IsSame(one[index], other[index])),
            (CelMap one, CelMap other) => one.Count == other.Count && one.Keys.All(key =>
                one.TryGet(key, out CelValue left) && other.TryGet(key, out CelValue right) && IsSame(left, right)),
            _ => expected.EqualTo(actual),
        };
    }
}
