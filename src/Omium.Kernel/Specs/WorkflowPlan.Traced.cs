using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Schemas;

namespace Omium.Kernel.Specs;

/// <summary>
/// The plan of a traced execution: code that runs elsewhere decides which step comes next, so that the plan has none. Any step that is asked for is there
/// (a step of type <see cref="StepType.Traced"/>), and the tools of its effects say their kind in their name.
/// </summary>
public sealed partial class WorkflowPlan
{
    /// <summary>What stands before the kind where calls of traced executions name their tool; no tool can be called so.</summary>
    public const string TracedPrefix = "sdk:";

    private const string UndoMark = "+undo";
    private static readonly string[] TracedMembers = ["omium", "mode", "name", "recovery"];

    /// <summary>True for the plan of a traced execution.</summary>
    public bool IsTraced { get; private init; }

    /// <summary>The tool of a transaction: what it does to the world, and whether the caller's code can undo it.</summary>
    public static string TracedTool(EffectKind kind, bool canUndo, string name) => $"{TracedPrefix}{kind.ToString().ToLowerInvariant()}{(canUndo ? UndoMark : "")}:{name}";

    /// <summary>A tool's name for people: of a transaction its own.</summary>
    public static string ToldTool(string tool) =>
        tool.StartsWith(TracedPrefix, StringComparison.Ordinal) ? tool[(tool.IndexOf(':', TracedPrefix.Length) + 1)..] : tool;

    /// <summary>The document that pins a traced execution: its name and the recovery policy it asks for.</summary>
    public static JsonElement TracedDocument(string name, JsonElement? recovery) => recovery is { } policy
        ? JsonMake.Object(("omium", JsonMake.Text(SpecReader.FormatVersion)), ("mode", JsonMake.Text("traced")), ("name", JsonMake.Text(name)), ("recovery", policy))
        : JsonMake.Object(("omium", JsonMake.Text(SpecReader.FormatVersion)), ("mode", JsonMake.Text("traced")), ("name", JsonMake.Text(name)));

    /// <summary>True for a document made by <see cref="TracedDocument"/>.</summary>
    public static bool IsTracedDocument(JsonElement document) =>
        document.ValueKind == JsonValueKind.Object && document.TryGetProperty("mode", out var mode) && mode.ValueKind == JsonValueKind.String && mode.ValueEquals("traced"u8)
        && document.EnumerateObject().All(member => TracedMembers.Contains(member.Name));

    /// <summary>The plan of such a document; null with findings when its recovery policy cannot be read.</summary>
    public static WorkflowPlan? TryTraced(JsonElement document, out IReadOnlyList<SpecFinding> findings)
    {
        findings = [];
        RecoveryPolicy? recovery = null;
        if (document.TryGetProperty("recovery", out var source))
        {
            (recovery, findings) = RecoveryPolicyReader.Read(source);
            if (recovery is null || findings.Any(finding => finding.Severity == SpecSeverity.Error))
            {
                return null;
            }
        }

        var spec = new WorkflowSpec { Name = document.GetProperty("name").GetString()!, Recovery = recovery ?? TracedDefault, Steps = [], Edges = [] };
        var compiler = new PlanCompiler();
        var rules = spec.Recovery.Rules.Select(rule => new RulePlan(rule, compiler.Expression(rule.When))).ToArray();
        return compiler.Problem is null ? new WorkflowPlan(spec, [], [], [], rules, null) { IsTraced = true } : null;
    }

    /// <summary>
    /// What follows a failure when neither the caller nor the tenant says: the code sees it as an exception, as it would without Omium; only where two agents
    /// do not agree on what was handed over, the execution halts and a person is asked.
    /// </summary>
    private static readonly RecoveryPolicy TracedDefault = RecoveryPolicy.Default with
    {
        Rules = [new RecoveryRule([FailureClasses.HandoffDisputed], null, [new RecoveryAction("pause"), new RecoveryAction("notify"), new RecoveryAction("await_review")], null)],
    };

    private static StepPlan TracedStep(string id) => new(new StepSpec { Id = id, Type = StepType.Traced, CheckpointName = TracedNames.NameOf(id) });

    private static ToolPlan? TracedTool(string name)
    {
        var end = name.IndexOf(':', TracedPrefix.Length);
        if (end < 0)
        {
            return null;
        }

        var word = name[TracedPrefix.Length..end];
        var canUndo = word.EndsWith(UndoMark, StringComparison.Ordinal);
        var kind = (canUndo ? word[..^UndoMark.Length] : word) switch
        {
            "idempotent" => EffectKind.Idempotent, "verifiable" => EffectKind.Verifiable, "irreversible" => EffectKind.Irreversible, _ => EffectKind.None,
        };
        return new ToolPlan(new ToolSpec
        {
            Name = name,
            Type = ToolType.Worker,
            Effect = new EffectSpec
            {
                Kind = kind,
                Verify = kind == EffectKind.Verifiable ? TracedTool(EffectKind.None, false, "verify") : null,
                VerifyAfter = TimeSpan.Zero, // The lease has run out before anybody is asked: the call is over.
                Compensate = canUndo ? TracedTool(EffectKind.Idempotent, false, "undo") : null,
            },
        });
    }
}

/// <summary>What the caller wants checked on a step's output: a JSON Schema, bounds of a number, expressions.</summary>
internal sealed class TracedChecks
{
    private readonly List<(string Check, string? Message)> _expressions = [];
    private readonly (double? Min, double? Max) _bounds;

    private TracedChecks(JsonElement? schema, JsonSchema? compiled, (double?, double?) bounds) => (SchemaSource, Schema, _bounds) = (schema, compiled, bounds);

    public JsonElement? SchemaSource { get; }

    public JsonSchema? Schema { get; }

    /// <summary>Reads <c>{"schema": ..., "constraints": {"min", "max"} | [expression | {"check", "message"}]}</c>; null with the problem when it cannot be read.</summary>
    public static TracedChecks? TryRead(JsonElement? source, out string problem)
    {
        problem = "";
        if (source is not { ValueKind: JsonValueKind.Object } checks)
        {
            return new TracedChecks(null, null, default);
        }

        var compiler = new PlanCompiler();
        var schema = checks.TryGetProperty("schema", out var given) ? given : (JsonElement?)null;
        var read = new TracedChecks(schema, compiler.Schema(schema), checks.TryGetProperty("constraints", out var limits) && limits.ValueKind == JsonValueKind.Object ? Bounds(limits) : default);
        if (checks.TryGetProperty("constraints", out var constraints) && constraints.ValueKind == JsonValueKind.Array)
        {
            foreach (var constraint in constraints.EnumerateArray())
            {
                var isObject = constraint.ValueKind == JsonValueKind.Object;
                var check = isObject ? Text(constraint, "check") : constraint.ValueKind == JsonValueKind.String ? constraint.GetString() : null;
                _ = compiler.Expression(check ?? "a constraint is an expression, or an object with 'check'");
                read._expressions.Add((check ?? "", isObject ? Text(constraint, "message") : null));
            }
        }

        problem = compiler.Problem ?? "";
        return compiler.Problem is null ? read : null;
    }

    /// <summary>The step as its output is held to: bounds speak of the output itself when it is a number, else of its one numeric member.</summary>
    public StepPlan Plan(string step, JsonElement output)
    {
        var compiler = new PlanCompiler();
        var texts = new List<(string Check, string? Message)>(_expressions);
        if (_bounds != default)
        {
            var target = NumberIn(output);
            texts.Add(target is null
                ? ("false", "min and max bound a number: the output is none, and has not exactly one numeric member")
                : (string.Join(" && ", new[] { Bound(target, ">=", _bounds.Min), Bound(target, "<=", _bounds.Max) }.OfType<string>()), Told(target)));
        }

        return new StepPlan(new StepSpec { Id = step, Type = StepType.Traced, CheckpointName = TracedNames.NameOf(step), OutputSchema = SchemaSource })
        {
            OutputSchema = Schema,
            Post = [.. texts.Select(text => new GuardPlan(new GuardSpec(text.Check, FailureClasses.GuardFailed, text.Message), compiler.Expression(text.Check)!))],
        };
    }

    private static (double?, double?) Bounds(JsonElement limits) => (Number(limits, "min"), Number(limits, "max"));

    private static double? Number(JsonElement limits, string name) => limits.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private static string? Text(JsonElement source, string name) => source.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string? NumberIn(JsonElement output)
    {
        if (output.ValueKind == JsonValueKind.Number)
        {
            return "output";
        }

        if (output.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var numbers = output.EnumerateObject().Where(member => member.Value.ValueKind == JsonValueKind.Number).Select(member => member.Name).Take(2).ToArray();
        return numbers.Length == 1 ? $"output[{JsonMake.Text(numbers[0]).GetRawText()}]" : null;
    }

    private static string? Bound(string target, string comparison, double? limit) => limit is { } value ? $"double({target}) {comparison} double({Written(value)})" : null;

    private string Told(string target) => $"{target} is to be {string.Join(" and ", new[] { _bounds.Min is { } min ? $"at least {Written(min)}" : null, _bounds.Max is { } max ? $"at most {Written(max)}" : null }.OfType<string>())}";

    private static string Written(double value) => JsonMake.Number(value).GetRawText();
}
