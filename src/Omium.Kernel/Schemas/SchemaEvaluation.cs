using System.Globalization;
using System.Text;
using System.Text.Json;
using Omium.Kernel.Json;

namespace Omium.Kernel.Schemas;

/// <summary>
/// One validation: the work counted so far, where in the value it stands, which resources were entered, and where violations go.
/// Without a list for violations (inside <c>not</c>, <c>if</c>, ...), or with a full one, the first failure ends the branch.
/// </summary>
internal sealed class SchemaEvaluation(SchemaLimits limits)
{
    private const int DepthCeiling = 800;
    private const int ShownLengthMax = 80;

    private readonly List<(JsonProperty Member, int Index)> _path = [];
    private readonly List<SchemaResource> _scope = [];
    private readonly List<SchemaViolation> _violations = [];
    private List<SchemaViolation>? _sink;
    private int _sinkMax = limits.ErrorsMax;
    private readonly int _depthMax = Math.Min(limits.DepthMax, DepthCeiling);
    private int _depth;
    private bool _isStarted;
    private SchemaViolation? _abort;

    public SchemaLimits Limits { get; } = limits;

    public long Cost { get; private set; }

    /// <summary>Nothing more needs to be found out once a failure is known.</summary>
    public bool FailsFast => _abort is not null || _sink is null || _sink.Count >= _sinkMax;

    public bool IsAborted => _abort is not null;

    /// <summary>Whether somebody wants to read why.</summary>
    public bool Reports => !FailsFast;

    public bool Evaluate(SchemaNode node, JsonElement instance, EvaluatedSet? evaluated)
    {
        if (!_isStarted)
        {
            _isStarted = true;
            _sink = _violations;
        }

        if (!Charge(1 + node.Keywords.Length, node))
        {
            return false;
        }

        if (node.AllowsNothing)
        {
            return Fail(node, null, node.FalseKeyword, instance, "nothing, for the schema here is false");
        }

        if (node.Keywords.Length == 0)
        {
            return true;
        }

        if (_depth >= _depthMax)
        {
            return TooDeep(node);
        }

        _depth++;
        var isNewResource = _scope.Count == 0 || !ReferenceEquals(_scope[^1], node.Resource);
        if (isNewResource)
        {
            _scope.Add(node.Resource);
        }

        var isValid = Apply(node, instance, evaluated);
        if (isNewResource)
        {
            _scope.RemoveAt(_scope.Count - 1);
        }

        _depth--;
        return isValid;
    }

    /// <summary>Applies a subschema without telling why it fails.</summary>
    public bool EvaluateSilently(SchemaNode node, JsonElement instance, EvaluatedSet? evaluated)
    {
        var sink = _sink;
        _sink = null;
        var isValid = Evaluate(node, instance, evaluated);
        _sink = sink;
        return isValid;
    }

    /// <summary>Applies one of several alternatives; the reason is its first violation, and null where nobody reads it.</summary>
    public bool EvaluateAlternative(SchemaNode node, JsonElement instance, EvaluatedSet? evaluated, out SchemaViolation? reason)
    {
        reason = null;
        if (!Reports)
        {
            return EvaluateSilently(node, instance, evaluated);
        }

        var (sink, sinkMax) = (_sink, _sinkMax);
        var own = new List<SchemaViolation>(1);
        (_sink, _sinkMax) = (own, 1);
        var isValid = Evaluate(node, instance, evaluated);
        (_sink, _sinkMax) = (sink, sinkMax);
        reason = own.Count > 0 ? own[0] : null;
        return isValid;
    }

    public bool EvaluateMember(SchemaNode node, JsonProperty member) => EvaluateMember(node, member, member.Value);

    /// <summary>The member's place in the path, but another value: its name, for <c>propertyNames</c>.</summary>
    public bool EvaluateMember(SchemaNode node, JsonProperty member, JsonElement value)
    {
        _path.Add((member, -1));
        var isValid = Evaluate(node, value, evaluated: null);
        _path.RemoveAt(_path.Count - 1);
        return isValid;
    }

    public bool EvaluateItem(SchemaNode node, int index, JsonElement value)
    {
        _path.Add((default, index));
        var isValid = Evaluate(node, value, evaluated: null);
        _path.RemoveAt(_path.Count - 1);
        return isValid;
    }

    /// <summary>The outermost resource entered so far that has this dynamic anchor decides.</summary>
    public SchemaNode ResolveDynamic(string anchor, SchemaNode otherwise)
    {
        if (!Charge(1 + (_scope.Count / 16), otherwise))
        {
            return otherwise;
        }

        foreach (var resource in _scope)
        {
            if (resource.DynamicAnchors.TryGetValue(anchor, out var node))
            {
                return node;
            }
        }

        return otherwise;
    }

    /// <summary>Counts work. False when the limit is passed; the validation is over then.</summary>
    public bool Charge(long cost, SchemaNode node)
    {
        Cost += cost;
        if (_abort is null && Cost > Limits.CostMax)
        {
            Abort(node, "$cost", $"the validation needs more than {Limits.CostMax} units of work");
        }

        return _abort is null;
    }

    /// <summary>Reports a violation of a keyword, if anyone listens. Always false.</summary>
    public bool Fail(SchemaKeyword keyword, JsonElement instance, string expected) => Fail(keyword.Owner, keyword.Name, keyword.Name, instance, expected);

    public bool Fail(SchemaNode node, string? pointerName, string keyword, JsonElement instance, string expected)
    {
        if (Reports)
        {
            _sink!.Add(new SchemaViolation(InstancePointer(), node.Location.Pointer(pointerName), keyword, $"Expected: {expected}. Found: {Show(instance)}."));
        }

        return false;
    }

    public SchemaResult Finish(bool isValid)
    {
        if (_abort is not null)
        {
            _violations.RemoveRange(Math.Min(_violations.Count, Math.Max(0, Limits.ErrorsMax - 1)), Math.Max(0, _violations.Count - Math.Max(0, Limits.ErrorsMax - 1)));
            _violations.Add(_abort);
            isValid = false;
        }

        if (!isValid && _violations.Count == 0)
        {
            _violations.Add(new SchemaViolation("", "", "$errors", "The value is not valid; ErrorsMax leaves no room to say why."));
        }

        return new SchemaResult(isValid, isValid ? [] : _violations, Cost);
    }

    /// <summary>A value, short enough for a message.</summary>
    public static string Show(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                return $"an object with {value.GetPropertyCount()} members";
            case JsonValueKind.Array:
                return $"an array with {value.GetArrayLength()} items";
            default:
                var text = value.GetRawText();
                return text.Length <= ShownLengthMax ? text : string.Concat(text.AsSpan(0, ShownLengthMax), "...");
        }
    }

    private bool Apply(SchemaNode node, JsonElement instance, EvaluatedSet? evaluated)
    {
        var own = evaluated is not null || node.HasUnevaluated ? new EvaluatedSet() : null;
        var isValid = true;
        foreach (var keyword in node.Keywords)
        {
            if (!keyword.Evaluate(this, instance, own))
            {
                isValid = false;
                if (FailsFast)
                {
                    return false;
                }
            }
        }

        if (isValid && evaluated is not null && Charge(own!.MergeCost, node))
        {
            evaluated.Add(own);
        }

        return isValid && _abort is null;
    }

    /// <summary>Apart from its caller, which recurses and must keep its frame small.</summary>
    private bool TooDeep(SchemaNode node)
    {
        Abort(node, "$depth", $"schemas are applied more than {_depthMax} levels deep (the value is too deep, or the schema refers to itself without end)");
        return false;
    }

    private void Abort(SchemaNode node, string keyword, string message) =>
        _abort ??= new SchemaViolation(InstancePointer(), node.Location.Pointer(), keyword, $"Validation gave up: {message}.");

    private string InstancePointer()
    {
        var text = new StringBuilder();
        foreach (var (member, index) in _path)
        {
            text.Append('/');
            if (index >= 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"{index}");
            }
            else
            {
                text.Append(JsonPointer.Escape(JsonText.NameOf(member)));
            }
        }

        return text.ToString();
    }
}

/// <summary>Which members (by position in the object) or items of one value were evaluated by successful subschemas.</summary>
internal sealed class EvaluatedSet
{
    private ulong[] _bits = [];
    private bool _all;

    public long MergeCost => _bits.Length / 4;

    public void AddAll() => _all = true;

    public void Add(int position)
    {
        if (_all)
        {
            return;
        }

        Grow((position >> 6) + 1);
        _bits[position >> 6] |= 1UL << (position & 63);
    }

    public void Add(EvaluatedSet other)
    {
        _all |= other._all;
        Grow(other._bits.Length);
        for (var index = 0; index < other._bits.Length; index++)
        {
            _bits[index] |= other._bits[index];
        }
    }

    public bool Contains(int position) => _all || (position >> 6 < _bits.Length && (_bits[position >> 6] & (1UL << (position & 63))) != 0);

    private void Grow(int words)
    {
        if (words > _bits.Length)
        {
            Array.Resize(ref _bits, Math.Max(words, _bits.Length * 2));
        }
    }
}
