namespace Omium.Kernel.Expressions;

/// <summary>
/// A call of a function; of a member function when there is a target, which then is the first argument. A function that nothing
/// defines fails when it is evaluated, as the specification has it: <c>true || unknown()</c> is true.
/// </summary>
internal sealed class CallNode(string name, bool isMember, Node[] arguments, int offset) : Node(offset)
{
    private readonly Overload[]? _overloads = FunctionTable.Find(name, isMember);

    public string Name => name;

    public bool IsMember => isMember;

    public override IReadOnlyList<Node> Children => arguments;

    /// <summary>Something that a function prepared from its arguments for the next call. It never changes an answer or its cost.</summary>
    public object? Prepared { get; set; }

    public override CelValue Evaluate(Evaluation evaluation)
    {
        if (!evaluation.Spend(1))
        {
            return evaluation.Exhausted(Offset);
        }

        if (_overloads is null)
        {
            return new CelFailure(new ExpressionError(ExpressionErrorCode.UnknownName, $"there is no function '{name}'", Offset));
        }

        var values = new CelValue[arguments.Length];
        for (int index = 0; index < values.Length; index++)
        {
            CelValue value = arguments[index].Evaluate(evaluation);
            if (value is CelFailure)
            {
                return value;
            }

            values[index] = value;
        }

        foreach (Overload overload in _overloads)
        {
            if (overload.Accepts(values))
            {
                return overload.Run(new Call(evaluation, values, this));
            }
        }

        string types = string.Join(", ", values.Skip(isMember ? 1 : 0).Select(value => value.Type.Name));
        return Evaluation.FailType($"no such function: {(isMember ? values[0].Type.Name + "." : "")}{name}({types})", Offset);
    }
}
