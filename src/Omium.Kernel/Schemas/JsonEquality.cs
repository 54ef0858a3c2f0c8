using System.Text.Json;

namespace Omium.Kernel.Schemas;

/// <summary>Equality as JSON Schema has it: 1 equals 1.0, the order of members does not matter. Work is charged as it goes.</summary>
internal static class JsonEquality
{
    private const ulong Prime = 0x9E3779B97F4A7C15;

    /// <summary>Depth is bounded by the evaluation's limit; deeper values count as unequal once the validation is aborted.</summary>
    public static bool AreEqual(JsonElement left, JsonElement right, SchemaEvaluation evaluation, SchemaNode node, int depth = 0)
    {
        if (!evaluation.Charge(1 + depth / 64, node) || left.ValueKind != right.ValueKind || depth > Json.JsonLimits.DepthCeiling)
        {
            return false;
        }

        switch (left.ValueKind)
        {
            case JsonValueKind.String:
                return TextOf(left, evaluation, node) == TextOf(right, evaluation, node);
            case JsonValueKind.Number:
                var (first, second) = (new JsonNumber(left), new JsonNumber(right));
                return evaluation.Charge((first.Length + second.Length) / 16, node) && first.CompareTo(second) == 0;
            case JsonValueKind.Array:
                return left.GetArrayLength() == right.GetArrayLength() && ItemsAreEqual(left, right, evaluation, node, depth);
            case JsonValueKind.Object:
                return left.GetPropertyCount() == right.GetPropertyCount() && MembersAreEqual(left, right, evaluation, node, depth);
            default:
                return true;
        }
    }

    /// <summary>Equal values have equal hashes.</summary>
    public static ulong Hash(JsonElement value, SchemaEvaluation? evaluation, SchemaNode node, int depth = 0)
    {
        if (depth > Json.JsonLimits.DepthCeiling || evaluation?.Charge(1, node) == false)
        {
            return 0;
        }

        var hash = (ulong)value.ValueKind * Prime;
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return HashText(TextOf(value, evaluation, node), hash);
            case JsonValueKind.Number:
                return new JsonNumber(value).Hash();
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                {
                    hash = Mix(hash ^ Hash(item, evaluation, node, depth + 1));
                }

                return hash;
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    hash += Mix(HashText(JsonText.NameOf(member), Prime) ^ Hash(member.Value, evaluation, node, depth + 1));
                }

                return Mix(hash);
            default:
                return hash;
        }
    }

    public static ulong HashText(string text, ulong seed)
    {
        var hash = seed ^ 14695981039346656037;
        foreach (var unit in text)
        {
            hash = (hash ^ unit) * 1099511628211;
        }

        return Mix(hash);
    }

    /// <summary>Spreads the bits of a value.</summary>
    public static ulong Mix(ulong value)
    {
        value += Prime;
        value = (value ^ (value >> 32)) * Prime;
        return value ^ (value >> 29);
    }

    private static string TextOf(JsonElement value, SchemaEvaluation? evaluation, SchemaNode node)
    {
        var text = JsonText.Of(value);
        evaluation?.Charge(text.Length / 16, node);
        return text;
    }

    private static bool ItemsAreEqual(JsonElement left, JsonElement right, SchemaEvaluation evaluation, SchemaNode node, int depth)
    {
        var others = right.EnumerateArray();
        foreach (var item in left.EnumerateArray())
        {
            others.MoveNext();
            if (!AreEqual(item, others.Current, evaluation, node, depth + 1))
            {
                return false;
            }
        }

        return true;
    }

    private static bool MembersAreEqual(JsonElement left, JsonElement right, SchemaEvaluation evaluation, SchemaNode node, int depth)
    {
        var others = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in right.EnumerateObject())
        {
            others[JsonText.NameOf(member)] = member.Value;
        }

        foreach (var member in left.EnumerateObject())
        {
            if (!others.TryGetValue(JsonText.NameOf(member), out var other) || !AreEqual(member.Value, other, evaluation, node, depth + 1))
            {
                return false;
            }
        }

        return true;
    }
}
