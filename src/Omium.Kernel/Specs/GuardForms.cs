using System.Text;

namespace Omium.Kernel.Specs;

/// <summary>
/// Short forms of guards: each is written as a few names and means an expression, so that checks, costs, replays and messages are those of every
/// guard. docs/reference/guards.md says what each catches.
/// </summary>
public static class GuardForms
{
    /// <summary>What comes out must say what these values say.</summary>
    public const string Uses = "uses";

    /// <summary>Numbers, identifiers and names in these values must come from what the step was given.</summary>
    public const string Grounded = "grounded";

    /// <summary>These tools must have been called with success before the agent may answer.</summary>
    public const string Called = "called";

    /// <summary>When one of these values is missing, the answer must ask for it.</summary>
    public const string Asks = "asks";

    /// <summary>Calls must be those of a declared plan, and all of it must be done.</summary>
    public const string Plan = "plan";

    /// <summary>What <c>grounded</c> compares with unless told: the step's input and the results of its calls.</summary>
    public static readonly IReadOnlyList<string> Given = ["visit.input", "visit.calls.map(made, made.result)"];

    /// <summary>The forms that a guard may be written in, besides <c>check</c>.</summary>
    public static readonly IReadOnlyList<string> Written = [Uses, Grounded, Called, Asks];

    /// <summary>Forms that judge how an answer came about: they say nothing about an output that a person gives.</summary>
    public static bool JudgesConduct(string? form) => form is Called or Plan or Asks;

    /// <summary><c>uses</c>: every fact of <paramref name="values"/> is in <paramref name="within"/>.</summary>
    public static GuardSpec OfUses(IReadOnlyList<string> values, string within, string? code, string? message) => new(
        $"unused({ListOf(values)}, {within}) == []", code ?? FailureClasses.IgnoredInput, message ?? $"what was given is not used: {Named(values)}")
    {
        Form = Uses, Explanation = $"unused({ListOf(values)}, {within})",
    };

    /// <summary><c>grounded</c>: every fact of <paramref name="values"/> is in <paramref name="sources"/> or allowed.</summary>
    public static GuardSpec OfGrounded(IReadOnlyList<string> values, IReadOnlyList<string> sources, IReadOnlyList<string> allowed, string? code, string? message)
    {
        var list = $"ungrounded({ListOf(values)}, {ListOf([.. sources, .. allowed])})";
        return new GuardSpec($"{list} == []", code ?? FailureClasses.IgnoredInput, message ?? $"this does not come from what was given: {Named(values)}") { Form = Grounded, Explanation = list };
    }

    /// <summary><c>called</c>: each of <paramref name="tools"/> was called in this attempt, with success.</summary>
    public static GuardSpec OfCalled(IReadOnlyList<string> tools, string? code, string? message) => new(
        $"undone(visit.calls, [{string.Join(", ", tools.Select(Literal))}]) == []", code ?? FailureClasses.PrematureTermination, message ?? "the agent answered before it had done what it must")
    {
        Form = Called, Tools = tools, Explanation = $"undone(visit.calls, [{string.Join(", ", tools.Select(Literal))}])",
    };

    /// <summary><c>asks</c>: <paramref name="question"/> is there whenever one of <paramref name="needed"/> is missing.</summary>
    public static GuardSpec OfAsks(string question, IReadOnlyList<string> needed, string? code, string? message) => new(
        $"{Present(question)} || ({string.Join(" && ", needed.Select(Present))})", code ?? FailureClasses.FailToAsk, message ?? $"something needed is missing and the answer does not ask for it: {Named(needed)}")
    {
        Form = Asks,
    };

    /// <summary>The guard that a declared plan puts on every call.</summary>
    public static GuardSpec OfPlannedCall(string plan) => new($"planned(call, visit.calls, {plan})", FailureClasses.ReasoningActionMismatch, "the call is not what the plan says") { Form = Plan };

    /// <summary>The guard that a declared plan puts on the answer.</summary>
    public static GuardSpec OfPlanDone(string plan) => new($"undone(visit.calls, {plan}) == []", FailureClasses.ReasoningActionMismatch, "the plan was declared and not carried out")
    {
        Form = Plan, Explanation = $"undone(visit.calls, {plan})",
    };

    /// <summary>The same guard for calls of some tools only.</summary>
    public static GuardSpec ForTools(GuardSpec guard, IReadOnlyList<string> tools) =>
        tools.Count == 0 || guard.Check.Length == 0 ? guard : guard with { Tools = [.. guard.Tools, .. tools], Check = $"!(call.tool in [{string.Join(", ", tools.Select(Literal))}]) || ({guard.Check})" };

    /// <summary>A text as a literal of CEL.</summary>
    public static string Literal(string text)
    {
        var literal = new StringBuilder("'");
        foreach (var character in text)
        {
            _ = character switch
            {
                '\\' or '\'' => literal.Append('\\').Append(character),
                < ' ' => literal.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
                _ => literal.Append(character),
            };
        }

        return literal.Append('\'').ToString();
    }

    /// <summary>
    /// "Is there and not blank". Of a path every member is tested in turn, so that a missing one is no failure of the check; any other expression
    /// is evaluated as it is.
    /// </summary>
    private static string Present(string expression)
    {
        var compiled = Expressions.CelExpression.TryCompile(expression, out _);
        if (compiled is not { Paths: [{ Segments.Count: > 0 } path] } || path.ToString() != expression)
        {
            return $"!blank({expression})";
        }

        var tests = new List<string>();
        var prefix = path.Root;
        foreach (var segment in path.Segments)
        {
            prefix = $"{prefix}.{segment}";
            tests.Add($"has({prefix})");
        }

        return $"({string.Join(" && ", tests)} && !blank({expression}))";
    }

    private static string ListOf(IReadOnlyList<string> expressions) => $"[{string.Join(", ", expressions)}]";

    private static string Named(IReadOnlyList<string> expressions) => string.Join(", ", expressions);
}
