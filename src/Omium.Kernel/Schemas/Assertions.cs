using System.Runtime.InteropServices;
using System.Text.Json;
using Omium.Kernel.Text;

namespace Omium.Kernel.Schemas;

[Flags]
internal enum JsonTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Integer = 4,
    Number = 8,
    String = 16,
    Array = 32,
    Object = 64,
}

/// <summary>Validation vocabulary, 6.1.1.</summary>
internal sealed class TypeKeyword(SchemaNode owner, JsonTypes types, string expected) : SchemaKeyword(owner, "type")
{
    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated) =>
        IsAllowed(instance) || evaluation.Fail(this, instance, expected);

    private bool IsAllowed(JsonElement instance) => instance.ValueKind switch
    {
        JsonValueKind.Null => types.HasFlag(JsonTypes.Null),
        JsonValueKind.True or JsonValueKind.False => types.HasFlag(JsonTypes.Boolean),
        JsonValueKind.String => types.HasFlag(JsonTypes.String),
        JsonValueKind.Array => types.HasFlag(JsonTypes.Array),
        JsonValueKind.Object => types.HasFlag(JsonTypes.Object),
        _ => types.HasFlag(JsonTypes.Number) || (types.HasFlag(JsonTypes.Integer) && new JsonNumber(instance).IsInteger),
    };
}

/// <summary><c>enum</c> and <c>const</c> (6.1.2, 6.1.3): a hash finds the candidate, however many there are.</summary>
internal sealed class EnumKeyword : SchemaKeyword
{
    private const int NamedMax = 10;

    private readonly Dictionary<ulong, List<JsonElement>> _values = [];
    private readonly string _expected;

    public EnumKeyword(SchemaNode owner, string name, IReadOnlyCollection<JsonElement> values)
        : base(owner, name)
    {
        foreach (var value in values)
        {
            var hash = JsonEquality.Hash(value, evaluation: null, owner);
            if (!_values.TryGetValue(hash, out var same))
            {
                _values.Add(hash, same = []);
            }

            same.Add(value);
        }

        var named = string.Join(", ", values.Take(NamedMax).Select(SchemaEvaluation.Show)) + (values.Count > NamedMax ? ", ..." : "");
        _expected = name == "const" ? named : $"one of {named}";
    }

    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        if (_values.TryGetValue(JsonEquality.Hash(instance, evaluation, Owner), out var candidates))
        {
            foreach (var candidate in candidates)
            {
                if (JsonEquality.AreEqual(candidate, instance, evaluation, Owner))
                {
                    return true;
                }
            }
        }

        return evaluation.Fail(this, instance, _expected);
    }
}

/// <summary><c>maximum</c>, <c>exclusiveMaximum</c>, <c>minimum</c>, <c>exclusiveMinimum</c> (6.2.2 to 6.2.5).</summary>
internal sealed class BoundKeyword(SchemaNode owner, string name, JsonElement limit) : SchemaKeyword(owner, name)
{
    private readonly JsonNumber _limit = new(limit);

    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        if (instance.ValueKind != JsonValueKind.Number)
        {
            return true;
        }

        var number = new JsonNumber(instance);
        evaluation.Charge(number.Length / 16, Owner);
        var order = number.CompareTo(_limit);
        return Name switch
        {
            "maximum" => order <= 0 || evaluation.Fail(this, instance, $"at most {SchemaEvaluation.Show(limit)}"),
            "exclusiveMaximum" => order < 0 || evaluation.Fail(this, instance, $"less than {SchemaEvaluation.Show(limit)}"),
            "minimum" => order >= 0 || evaluation.Fail(this, instance, $"at least {SchemaEvaluation.Show(limit)}"),
            _ => order > 0 || evaluation.Fail(this, instance, $"more than {SchemaEvaluation.Show(limit)}"),
        };
    }
}

/// <summary>6.2.1, exact for decimals and big numbers; long numbers cost the square of their length.</summary>
internal sealed class MultipleOfKeyword(SchemaNode owner, JsonElement divisor) : SchemaKeyword(owner, "multipleOf")
{
    private readonly JsonNumber _divisor = new(divisor);

    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        if (instance.ValueKind != JsonValueKind.Number)
        {
            return true;
        }

        var number = new JsonNumber(instance);
        long blocks = (number.Length + _divisor.Length) / 16;
        return evaluation.Charge(blocks * blocks, Owner)
            && (number.IsMultipleOf(_divisor) || evaluation.Fail(this, instance, $"a multiple of {SchemaEvaluation.Show(divisor)}"));
    }
}

/// <summary>
/// <c>minLength</c>, <c>maxLength</c> (in Unicode code points), <c>minItems</c>, <c>maxItems</c>, <c>minProperties</c>, <c>maxProperties</c> (6.3 to 6.5).
/// </summary>
internal sealed class CountKeyword(SchemaNode owner, string name, int limit) : SchemaKeyword(owner, name)
{
    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        var (count, unit) = (Name[3..], instance.ValueKind) switch
        {
            ("Length", JsonValueKind.String) => (CountCodePoints(evaluation, instance), "characters"),
            ("Items", JsonValueKind.Array) => (instance.GetArrayLength(), "items"),
            ("Properties", JsonValueKind.Object) => (instance.GetPropertyCount(), "members"),
            _ => (-1, ""),
        };
        if (count < 0)
        {
            return true;
        }

        return Name[1] == 'i'
            ? count >= limit || evaluation.Fail(this, instance, $"at least {limit} {unit}, there are {count}")
            : count <= limit || evaluation.Fail(this, instance, $"at most {limit} {unit}, there are {count}");
    }

    private int CountCodePoints(SchemaEvaluation evaluation, JsonElement instance)
    {
        evaluation.Charge(JsonMarshal.GetRawUtf8Value(instance).Length / 64, Owner);
        return JsonText.CountCodePoints(instance);
    }
}

/// <summary>6.3.3: the pattern may match anywhere in the text.</summary>
internal sealed class PatternKeyword(SchemaNode owner, SchemaPattern pattern) : SchemaKeyword(owner, "pattern")
{
    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated) =>
        instance.ValueKind != JsonValueKind.String
        || pattern.IsMatch(JsonText.Of(instance), evaluation, Owner)
        || evaluation.Fail(this, instance, $"text that matches {pattern.Source}");
}

/// <summary>A regular expression of a schema with what it was before translation.</summary>
internal sealed class SchemaPattern(string source, BoundedRegex regex)
{
    public string Source { get; } = source;

    /// <summary>False also when the cost of matching is too much; the validation is over then.</summary>
    public bool IsMatch(string text, SchemaEvaluation evaluation, SchemaNode node) =>
        evaluation.Charge(BoundedRegex.CostOf(text.Length) * (1 + (Source.Length / 64)), node) && regex.IsMatch(text);
}

/// <summary>6.4.3, by hashes: the work grows with the size of the array, not with its square.</summary>
internal sealed class UniqueItemsKeyword(SchemaNode owner) : SchemaKeyword(owner, "uniqueItems")
{
    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        if (instance.ValueKind != JsonValueKind.Array || instance.GetArrayLength() < 2)
        {
            return true;
        }

        var seen = new Dictionary<ulong, (int First, List<int>? More)>();
        var items = new List<JsonElement>();
        foreach (var item in instance.EnumerateArray())
        {
            var hash = JsonEquality.Hash(item, evaluation, Owner);
            if (evaluation.IsAborted)
            {
                return false;
            }

            var position = items.Count;
            items.Add(item);
            ref var same = ref CollectionsMarshal.GetValueRefOrAddDefault(seen, hash, out var exists);
            if (!exists)
            {
                same = (position, null);
                continue;
            }

            if (FindEqual(evaluation, items, same.First, same.More) is { } twin)
            {
                return evaluation.Fail(this, instance, $"items that all differ, but items {twin} and {position} are equal");
            }

            (same.More ??= []).Add(position);
        }

        return true;
    }

    private int? FindEqual(SchemaEvaluation evaluation, List<JsonElement> items, int first, List<int>? more)
    {
        if (JsonEquality.AreEqual(items[first], items[^1], evaluation, Owner))
        {
            return first;
        }

        foreach (var position in more ?? [])
        {
            if (JsonEquality.AreEqual(items[position], items[^1], evaluation, Owner))
            {
                return position;
            }
        }

        return null;
    }
}

/// <summary>6.5.3.</summary>
internal sealed class RequiredKeyword(SchemaNode owner, string name, MemberName[] names, MemberName? trigger = null) : SchemaKeyword(owner, name)
{
    private const int PlainLookupsMax = 512;

    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        if (instance.ValueKind != JsonValueKind.Object || (trigger is not null && !JsonText.HasMember(instance, trigger)))
        {
            return true;
        }

        long count = instance.GetPropertyCount();
        if (!evaluation.Charge(names.Length + (count / 8), Owner))
        {
            return false;
        }

        var index = count * names.Length > PlainLookupsMax ? instance.EnumerateObject().Select(JsonText.NameOf).ToHashSet(StringComparer.Ordinal) : null;
        var isValid = true;
        foreach (var required in names)
        {
            if (index?.Contains(required.Text) ?? JsonText.HasMember(instance, required))
            {
                continue;
            }

            isValid = evaluation.Fail(this, instance, $"a member \"{required.Text}\"{(trigger is null ? "" : $", because there is \"{trigger.Text}\"")}");
            if (evaluation.FailsFast)
            {
                return false;
            }
        }

        return isValid;
    }
}

/// <summary>Format vocabulary: an annotation, unless the caller wants it checked.</summary>
internal sealed class FormatKeyword(SchemaNode owner, string format) : SchemaKeyword(owner, "format")
{
    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        if (!evaluation.Limits.AssertFormats || instance.ValueKind != JsonValueKind.String)
        {
            return true;
        }

        var text = JsonText.Of(instance);
        return evaluation.Charge(text.Length / 16, Owner)
            && (SchemaFormats.IsMatch(format, text) || evaluation.Fail(this, instance, $"text in the format {format}"));
    }
}
