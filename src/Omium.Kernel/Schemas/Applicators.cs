using System.Text.Json;

namespace Omium.Kernel.Schemas;

/// <summary><c>$ref</c>, <c>allOf</c> and <c>then</c>-less conjunctions: everything must hold.</summary>
internal sealed class AllOfKeyword(SchemaNode owner, string name, SchemaNode[] schemas) : SchemaKeyword(owner, name)
{
    public override IEnumerable<SchemaNode> InPlace => schemas;

    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        var isValid = true;
        foreach (var schema in schemas)
        {
            isValid &= evaluation.Evaluate(schema, instance, evaluated);
            if (!isValid && evaluation.FailsFast)
            {
                return false;
            }
        }

        return isValid;
    }
}

/// <summary>Core vocabulary, 8.2.3.2: the dynamic scope decides where it leads.</summary>
internal sealed class DynamicRefKeyword(SchemaNode owner, SchemaNode target, string anchor) : SchemaKeyword(owner, "$dynamicRef")
{
    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated) =>
        evaluation.Evaluate(evaluation.ResolveDynamic(anchor, target), instance, evaluated);
}

/// <summary>Applicator vocabulary, 10.2.1.2.</summary>
internal sealed class AnyOfKeyword(SchemaNode owner, SchemaNode[] schemas) : SchemaKeyword(owner, "anyOf")
{
    public override IEnumerable<SchemaNode> InPlace => schemas;

    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        var reasons = new AlternativeReasons();
        var isValid = false;
        foreach (var schema in schemas)
        {
            isValid |= evaluation.EvaluateAlternative(schema, instance, evaluated, out var reason);
            if (evaluation.IsAborted || (isValid && evaluated is null))
            {
                return !evaluation.IsAborted;
            }

            reasons.Add(reason);
        }

        return isValid || evaluation.Fail(this, instance, $"to match at least one of {schemas.Length} schemas{reasons}");
    }
}

/// <summary>Applicator vocabulary, 10.2.1.3.</summary>
internal sealed class OneOfKeyword(SchemaNode owner, SchemaNode[] schemas) : SchemaKeyword(owner, "oneOf")
{
    public override IEnumerable<SchemaNode> InPlace => schemas;

    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        var reasons = new AlternativeReasons();
        var matched = -1;
        for (var index = 0; index < schemas.Length; index++)
        {
            var isMatch = evaluation.EvaluateAlternative(schemas[index], instance, evaluated, out var reason);
            if (evaluation.IsAborted)
            {
                return false;
            }

            if (isMatch && matched >= 0)
            {
                return evaluation.Fail(this, instance, $"to match exactly one of {schemas.Length} schemas, but both {matched} and {index} match");
            }

            matched = isMatch ? index : matched;
            reasons.Add(reason);
        }

        return matched >= 0 || evaluation.Fail(this, instance, $"to match exactly one of {schemas.Length} schemas, but none does{reasons}");
    }
}

/// <summary>Why the first few alternatives do not fit, for one message.</summary>
internal sealed class AlternativeReasons
{
    private const int ShownMax = 3;

    private readonly List<string> _reasons = [];
    private int _position;

    public void Add(SchemaViolation? reason)
    {
        if (reason is not null && _reasons.Count < ShownMax)
        {
            var place = reason.InstancePointer.Length == 0 ? "" : $" at {reason.InstancePointer}";
            _reasons.Add($"[{_position}]{place}: {(reason.Message.Length <= 200 ? reason.Message : reason.Message[..200])}");
        }

        _position++;
    }

    public override string ToString() => _reasons.Count == 0 ? "" : $" ({string.Join(" ", _reasons)})";
}

/// <summary>Applicator vocabulary, 10.2.1.4.</summary>
internal sealed class NotKeyword(SchemaNode owner, SchemaNode schema) : SchemaKeyword(owner, "not")
{
    public override IEnumerable<SchemaNode> InPlace => [schema];

    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated) =>
        !evaluation.EvaluateSilently(schema, instance, evaluated: null)
            ? !evaluation.IsAborted
            : evaluation.Fail(this, instance, "not to match the schema under \"not\"");
}

/// <summary>Applicator vocabulary, 10.2.2.1 to 10.2.2.3.</summary>
internal sealed class IfKeyword(SchemaNode owner, SchemaNode test, SchemaNode? then, SchemaNode? otherwise) : SchemaKeyword(owner, "if")
{
    public override IEnumerable<SchemaNode> InPlace => new[] { test, then, otherwise }.OfType<SchemaNode>();

    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        var branch = evaluation.EvaluateSilently(test, instance, evaluated) ? then : otherwise;
        return !evaluation.IsAborted && (branch is null || evaluation.Evaluate(branch, instance, evaluated));
    }
}

/// <summary>Applicator vocabulary, 10.2.2.4.</summary>
internal sealed class DependentSchemasKeyword(SchemaNode owner, string name, (MemberName Name, SchemaNode Schema)[] schemas) : SchemaKeyword(owner, name)
{
    public override IEnumerable<SchemaNode> InPlace => schemas.Select(entry => entry.Schema);

    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        if (instance.ValueKind != JsonValueKind.Object)
        {
            return true;
        }

        var isValid = true;
        foreach (var (name, schema) in schemas)
        {
            if (!evaluation.Charge(1 + (instance.GetPropertyCount() / 8), Owner))
            {
                return false;
            }

            isValid &= !JsonText.HasMember(instance, name) || evaluation.Evaluate(schema, instance, evaluated);
            if (!isValid && evaluation.FailsFast)
            {
                return false;
            }
        }

        return isValid;
    }
}

/// <summary><c>properties</c>, <c>patternProperties</c> and <c>additionalProperties</c> (10.3.2) in one walk over the members.</summary>
internal sealed class PropertiesKeyword(
    SchemaNode owner, Dictionary<string, SchemaNode> byName, (SchemaPattern Pattern, SchemaNode Schema)[] byPattern, SchemaNode? additional)
    : SchemaKeyword(owner, "properties")
{
    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        if (instance.ValueKind != JsonValueKind.Object)
        {
            return true;
        }

        var isValid = true;
        var position = -1;
        foreach (var member in instance.EnumerateObject())
        {
            position++;
            if (!evaluation.Charge(1, Owner))
            {
                return false;
            }

            isValid &= EvaluateMember(evaluation, member, out var isKnown);
            if (!isValid && evaluation.FailsFast)
            {
                return false;
            }

            if (isKnown)
            {
                evaluated?.Add(position);
            }
        }

        return isValid;
    }

    private bool EvaluateMember(SchemaEvaluation evaluation, JsonProperty member, out bool isKnown)
    {
        isKnown = JsonText.TryLookUp(byName, member, out var named);
        var isValid = !isKnown || evaluation.EvaluateMember(named!, member);
        if (byPattern.Length > 0)
        {
            var name = JsonText.NameOf(member);
            foreach (var (pattern, schema) in byPattern)
            {
                if (pattern.IsMatch(name, evaluation, Owner))
                {
                    isKnown = true;
                    isValid &= evaluation.EvaluateMember(schema, member);
                }
            }
        }

        if (!isKnown && additional is not null)
        {
            isKnown = true;
            isValid &= evaluation.EvaluateMember(additional, member);
        }

        return isValid && !evaluation.IsAborted;
    }
}

/// <summary>Applicator vocabulary, 10.3.2.4.</summary>
internal sealed class PropertyNamesKeyword(SchemaNode owner, SchemaNode schema) : SchemaKeyword(owner, "propertyNames")
{
    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        if (instance.ValueKind != JsonValueKind.Object)
        {
            return true;
        }

        var isValid = true;
        foreach (var member in instance.EnumerateObject())
        {
            if (!evaluation.Charge(2, Owner))
            {
                return false;
            }

            isValid &= evaluation.EvaluateMember(schema, member, JsonSerializer.SerializeToElement(JsonText.NameOf(member)));
            if (!isValid && evaluation.FailsFast)
            {
                return false;
            }
        }

        return isValid;
    }
}

/// <summary><c>prefixItems</c> and <c>items</c> (10.3.1) in one walk over the items.</summary>
internal sealed class ItemsKeyword(SchemaNode owner, SchemaNode[] prefix, SchemaNode? rest) : SchemaKeyword(owner, "items")
{
    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        if (instance.ValueKind != JsonValueKind.Array)
        {
            return true;
        }

        var isValid = true;
        var index = -1;
        foreach (var item in instance.EnumerateArray())
        {
            index++;
            var schema = index < prefix.Length ? prefix[index] : rest;
            if (schema is null)
            {
                break;
            }

            isValid &= evaluation.EvaluateItem(schema, index, item);
            if (!isValid && evaluation.FailsFast)
            {
                return false;
            }

            evaluated?.Add(index);
        }

        return isValid;
    }
}

/// <summary><c>contains</c>, <c>minContains</c>, <c>maxContains</c> (10.3.1.3, 6.4.4, 6.4.5).</summary>
internal sealed class ContainsKeyword(SchemaNode owner, SchemaNode schema, int countMin, int? countMax) : SchemaKeyword(owner, "contains")
{
    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        if (instance.ValueKind != JsonValueKind.Array)
        {
            return true;
        }

        var count = 0;
        var index = 0;
        foreach (var item in instance.EnumerateArray())
        {
            if (evaluation.EvaluateSilently(schema, item, evaluated: null))
            {
                count++;
                evaluated?.Add(index);
            }

            if (evaluation.IsAborted)
            {
                return false;
            }

            index++;
        }

        if (count < countMin)
        {
            var keyword = Owner.Element.TryGetProperty("minContains", out _) ? "minContains" : Name;
            return evaluation.Fail(Owner, keyword, keyword, instance, $"at least {countMin} items that match the schema under \"contains\", there are {count}");
        }

        return count <= (countMax ?? int.MaxValue)
            || evaluation.Fail(Owner, "maxContains", "maxContains", instance, $"at most {countMax} items that match the schema under \"contains\", there are {count}");
    }
}

/// <summary><c>unevaluatedProperties</c> and <c>unevaluatedItems</c> (section 11): what no other keyword of this schema has looked at.</summary>
internal sealed class UnevaluatedKeyword(SchemaNode owner, string name, SchemaNode schema) : SchemaKeyword(owner, name)
{
    public override bool Evaluate(SchemaEvaluation evaluation, JsonElement instance, EvaluatedSet? evaluated)
    {
        var isValid = true;
        var position = -1;
        if (Name == "unevaluatedProperties" && instance.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in instance.EnumerateObject())
            {
                position++;
                isValid &= evaluation.Charge(1, Owner) && (evaluated!.Contains(position) || evaluation.EvaluateMember(schema, member));
                if (!isValid && evaluation.FailsFast)
                {
                    return false;
                }
            }

            evaluated!.AddAll();
        }
        else if (Name == "unevaluatedItems" && instance.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in instance.EnumerateArray())
            {
                position++;
                isValid &= evaluation.Charge(1, Owner) && (evaluated!.Contains(position) || evaluation.EvaluateItem(schema, position, item));
                if (!isValid && evaluation.FailsFast)
                {
                    return false;
                }
            }

            evaluated!.AddAll();
        }

        return isValid;
    }
}
