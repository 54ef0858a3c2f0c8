using System.Collections.Frozen;

namespace Omium.Kernel.Expressions;

/// <summary>One call of a function: its evaluated arguments (the target of a member function first) and where it stands.</summary>
internal readonly record struct Call(Evaluation Evaluation, CelValue[] Arguments, CallNode Node)
{
    public int Offset => Node.Offset;

    public string Text(int index) => ((CelString)Arguments[index]).Value;

    public long Int(int index) => ((CelInt)Arguments[index]).Value;

    public double Double(int index) => ((CelDouble)Arguments[index]).Value;

    public CelFailure Fail(string message) => Expressions.Evaluation.Fail($"{Node.Name}: {message}", Offset);

    /// <summary>Spends the cost of reading text; null when that is allowed.</summary>
    public CelFailure? Read(long length) => Evaluation.Spend(length / 16) ? null : Evaluation.Exhausted(Offset);
}

/// <summary>One way to call a function: the kinds it takes, the kind it gives, and what it does.</summary>
/// <param name="Parameters">For each parameter the set of kinds accepted, one bit per <see cref="CelKind"/>.</param>
/// <param name="IsVariadic">True when the last parameter may be repeated.</param>
/// <param name="Result">The kind of the result; Dyn when it depends on the arguments.</param>
/// <param name="Run">What the function does; it is only called with arguments of the accepted kinds.</param>
internal sealed record Overload(int[] Parameters, bool IsVariadic, CelKind Result, Func<Call, CelValue> Run)
{
    public const int AnyKind = ~0;

    public bool AcceptsCount(int count) => count == Parameters.Length || (IsVariadic && count > Parameters.Length);

    public int ParameterAt(int index) => Parameters[Math.Min(index, Parameters.Length - 1)];

    public bool Accepts(CelValue[] arguments)
    {
        if (!AcceptsCount(arguments.Length))
        {
            return false;
        }

        for (int index = 0; index < arguments.Length; index++)
        {
            if ((ParameterAt(index) & (1 << (int)arguments[index].Kind)) == 0)
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>
/// Every function there is. A signature reads <c>string int -> string</c>; a member function's first parameter is its target,
/// <c>num</c> is any number, <c>any</c> any value, and <c>...</c> repeats the last parameter.
/// </summary>
internal sealed class FunctionTable
{
    private static readonly FrozenDictionary<(string Name, bool IsMember), Overload[]> _functions = Build();

    private readonly Dictionary<(string Name, bool IsMember), List<Overload>> _collected = [];

    private FunctionTable()
    {
    }

    /// <summary>The overloads of a function, or null when there is no such function.</summary>
    public static Overload[]? Find(string name, bool isMember) => _functions.GetValueOrDefault((name, isMember));

    /// <summary>Adds a function that is called as <c>name(...)</c>.</summary>
    public void Global(string name, string signature, Func<Call, CelValue> run) => Add((name, false), signature, run);

    /// <summary>Adds a function that is called as <c>target.name(...)</c>.</summary>
    public void Member(string name, string signature, Func<Call, CelValue> run) => Add((name, true), signature, run);

    private void Add((string Name, bool IsMember) key, string signature, Func<Call, CelValue> run)
    {
        string[] halves = signature.Split("->", StringSplitOptions.TrimEntries);
        bool isVariadic = halves[0].EndsWith("...", StringComparison.Ordinal);
        int[] parameters = [.. halves[0].TrimEnd('.').Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Kinds)];
        CelKind result = Enum.TryParse(halves[1], ignoreCase: true, out CelKind kind) ? kind : CelKind.Dyn;
        if (!_collected.TryGetValue(key, out List<Overload>? overloads))
        {
            _collected[key] = overloads = [];
        }

        overloads.Add(new Overload(parameters, isVariadic, result, run));
    }

    private static int Kinds(string name) => name switch
    {
        "any" => Overload.AnyKind,
        "num" => (1 << (int)CelKind.Int) | (1 << (int)CelKind.Uint) | (1 << (int)CelKind.Double),
        _ => 1 << (int)Enum.Parse<CelKind>(name, ignoreCase: true),
    };

    private static FrozenDictionary<(string Name, bool IsMember), Overload[]> Build()
    {
        var table = new FunctionTable();
        CoreFunctions.AddTo(table);
        TimeFunctions.AddTo(table);
        StringFunctions.AddTo(table);
        FormatFunction.AddTo(table);
        MathFunctions.AddTo(table);
        GuardFunctions.AddTo(table);
        return table._collected.ToFrozenDictionary(entry => entry.Key, entry => entry.Value.ToArray());
    }
}
