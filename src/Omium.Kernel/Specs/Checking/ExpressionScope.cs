namespace Omium.Kernel.Specs.Checking;

/// <summary>What an expression may read at the place where it is written.</summary>
/// <param name="Place">What people call the place, for messages: "a precondition".</param>
/// <param name="Roots">Names it may start with.</param>
internal sealed record ExpressionScope(string Place, IReadOnlyList<string> Roots)
{
    private static readonly string[] OfSteps = ["input", "steps", "execution", "now"];
    private static readonly string[] OfItems = ["item", "item_index"];
    private static readonly string[] OfOutputs = ["input", "output", "steps", "execution", "now"];
    private static readonly string[] OfPreconditions = ["input", "steps", "visit", "execution", "now"];
    private static readonly string[] OfPostconditions = ["input", "output", "steps", "visit", "execution", "now"];
    private static readonly string[] OfCalls = ["input", "steps", "call", "visit", "execution", "now"];

    /// <summary>Index of the step whose ancestors may be read; null = the outputs of all steps.</summary>
    public int? Reader { get; init; }

    /// <summary>The tool whose arguments are the root <c>input</c>; null = the workflow's input.</summary>
    public string? ArgumentsOf { get; init; }

    /// <summary>True when the output of <see cref="Reader"/> itself may be read too.</summary>
    public bool IncludesReader { get; init; }

    /// <summary>True where a for_each step speaks of one item: <c>item</c> and <c>item_index</c> are known, and <c>output</c> is the item's.</summary>
    public bool OfItem { get; init; }

    /// <summary>The same place of a for_each step, said of each item.</summary>
    public ExpressionScope EachItem() => this with { Roots = [.. Roots, .. OfItems], OfItem = true };

    public static ExpressionScope ItemList(int step) => new("the items of a step", OfSteps) { Reader = step };

    public static ExpressionScope StepInput(int step) => new("the input of a step", OfSteps) { Reader = step };

    public static ExpressionScope Precondition(int step) => new("a precondition", OfPreconditions) { Reader = step };

    public static ExpressionScope Postcondition(int step) => new("a postcondition", OfPostconditions) { Reader = step, IncludesReader = true };

    public static ExpressionScope AgentCall(int step) => new("a guard on an agent's calls", OfCalls) { Reader = step };

    public static ExpressionScope StepEffect(int step, string? tool) => new("the effect of a step", OfSteps) { Reader = step, ArgumentsOf = tool ?? "" };

    public static ExpressionScope EdgeCondition(int? source) => new("the condition of an edge", OfOutputs) { Reader = source, IncludesReader = true };

    public static ExpressionScope ToolArguments(string tool) => new("a guard or effect of a tool", ["input", "execution", "now"]) { ArgumentsOf = tool };

    public static ExpressionScope ToolRequest(string tool) => new("the request of a tool", ["input", "secrets", "execution"]) { ArgumentsOf = tool };

    public static ExpressionScope RecoveryRule { get; } = new("a recovery rule", ["failure", "input", "steps", "execution", "now"]);
}
