using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Schemas;

namespace Omium.Kernel.Specs;

/// <summary>
/// A checked spec, compiled: expressions, schemas and the graph, ready for decisions. A pure function of the spec's bytes, so hosts cache it
/// by digest. Immutable and safe for concurrent use.
/// </summary>
public sealed partial class WorkflowPlan
{
    private readonly Dictionary<string, StepPlan> _steps;
    private readonly Dictionary<string, ToolPlan> _tools;

    private WorkflowPlan(WorkflowSpec spec, Dictionary<string, StepPlan> steps, Dictionary<string, ToolPlan> tools, EdgePlan[] edges, RulePlan[] rules, JsonSchema? inputSchema)
    {
        (Spec, _steps, _tools, Edges, Rules, InputSchema) = (spec, steps, tools, edges, rules, inputSchema);
        Policy = spec.Recovery ?? RecoveryPolicy.Default;
        Steps = [.. spec.Steps.Select(step => steps[step.Id])];
        ReadsShared = Steps.Any(step => step.Shared is { Reads.Count: > 0 });
    }

    /// <summary>The spec.</summary>
    public WorkflowSpec Spec { get; }

    /// <summary>Steps in the order written.</summary>
    public IReadOnlyList<StepPlan> Steps { get; }

    /// <summary>True when any step reads shared values: only then can a call depend on a version.</summary>
    public bool ReadsShared { get; }

    /// <summary>Edges by index.</summary>
    public IReadOnlyList<EdgePlan> Edges { get; }

    /// <summary>The recovery policy in force.</summary>
    public RecoveryPolicy Policy { get; }

    /// <summary>The policy's rules, compiled.</summary>
    public IReadOnlyList<RulePlan> Rules { get; }

    /// <summary>Schema of the input.</summary>
    public JsonSchema? InputSchema { get; }

    /// <summary>A step by its id, or by the name of one of its items (<see cref="Executions.ItemName"/>); null when there is none.</summary>
    public StepPlan? Step(string id) => _steps.GetValueOrDefault(id)
        ?? (Executions.ItemName.TryRead(id, out var step, out _) && _steps.GetValueOrDefault(step) is { ForEach: not null } each ? each : null)
        ?? (IsTraced && TracedNames.Is(id) ? TracedStep(id) : null);

    /// <summary>True for the visit of a for_each step itself, which runs nothing but its items.</summary>
    public bool Expands(Executions.VisitKey key) => _steps.GetValueOrDefault(key.Step)?.ForEach is not null;

    /// <summary>A tool; null when there is none of that name.</summary>
    public ToolPlan? Tool(string name) => _tools.GetValueOrDefault(name)
        ?? (IsTraced && name.StartsWith(TracedPrefix, StringComparison.Ordinal) ? TracedTool(name) : null);

    /// <summary>
    /// Compiles a spec that has passed <see cref="SpecChecker"/>. A spec that has not is refused with the first problem met
    /// (this never throws): a plan is only made of expressions and schemas that compile.
    /// </summary>
    public static WorkflowPlan? TryCompile(WorkflowSpec spec, out string? problem)
    {
        var compiler = new PlanCompiler();
        var tools = spec.Tools.Values.ToDictionary(tool => tool.Name, compiler.Tool, StringComparer.Ordinal);
        var forward = spec.Edges.Where(edge => edge.VisitsMax is null).ToLookup(edge => edge.From, edge => edge.To, StringComparer.Ordinal);
        var edges = spec.Edges.Select((edge, index) => new EdgePlan(index, edge, compiler.Expression(edge.When), edge.VisitsMax is null ? [] : Closure(forward, edge.To)) { Handoff = compiler.Handoff(edge.Handoff) }).ToArray();
        edges = [.. edges.Select(edge => edge with { Nested = NestedIn(edge, edges) })];
        var outgoing = edges.ToLookup(edge => edge.Spec.From, StringComparer.Ordinal);
        var incoming = edges.ToLookup(edge => edge.Spec.To, StringComparer.Ordinal);
        var steps = new Dictionary<string, StepPlan>(StringComparer.Ordinal);
        foreach (var step in spec.Steps)
        {
            steps[step.Id] = compiler.Step(spec, step, [.. incoming[step.Id]], [.. outgoing[step.Id]], tools);
        }

        var rules = (spec.Recovery?.Rules ?? []).Select(rule => new RulePlan(rule, compiler.Expression(rule.When))).ToArray();
        var inputSchema = compiler.Schema(spec.InputSchema);
        problem = compiler.Problem;
        if (problem is not null)
        {
            return null;
        }

        var plan = new WorkflowPlan(spec, steps, tools, edges, rules, inputSchema);
        ProjectOutputs(plan);
        return plan;
    }

    /// <summary>What lies behind a step along edges that are not loops, the step included: what a loop runs anew.</summary>
    private static string[] Closure(ILookup<string, string> forward, string from)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { from };
        var queue = new Queue<string>(seen);
        while (queue.TryDequeue(out var step))
        {
            foreach (var next in forward[step])
            {
                if (seen.Add(next))
                {
                    queue.Enqueue(next);
                }
            }
        }

        return [.. seen.Order(StringComparer.Ordinal)];
    }

    /// <summary>
    /// Loops that lie within another one: what they run anew is a part of what it runs anew, and not all of it (so that two loops never count as
    /// within each other, and the turns of all of them stay bounded by the product of their max_visits).
    /// </summary>
    private static int[] NestedIn(EdgePlan outer, EdgePlan[] edges) => !outer.IsLoop ? [] :
    [
        .. edges.Where(inner => inner.IsLoop && inner.Index != outer.Index && outer.Reset.Contains(inner.Spec.From) && inner.Reset.Count < outer.Reset.Count
            && inner.Reset.All(outer.Reset.Contains)).Select(inner => inner.Index),
    ];

    /// <summary>Finds which parts of each step's output expressions read: what a large output keeps inline.</summary>
    private static void ProjectOutputs(WorkflowPlan plan)
    {
        var expressions = plan.Steps.SelectMany(step => step.Expressions)
            .Concat(plan.Edges.Select(edge => edge.When))
            .Concat(plan.Rules.Select(rule => rule.When))
            .Concat(plan.Edges.SelectMany(edge => edge.Handoff?.Expressions ?? []))
            .OfType<CelExpression>();
        foreach (var path in expressions.SelectMany(expression => expression.Paths))
        {
            if (path.Root == "steps" && path.Segments.Count > 2 && path.Segments[1] == "output" && plan.Step(path.Segments[0]) is { } source)
            {
                source.AddProjection([.. path.Segments.Skip(2)]);
            }
        }

        ProjectHandoffs(plan);
    }
}

/// <summary>A compiled guard.</summary>
public sealed record GuardPlan(GuardSpec Spec, CelExpression Check)
{
    /// <summary>Lists what is wrong, when the guard can say so.</summary>
    public CelExpression? Explanation { get; init; }
}

/// <summary>A compiled rule of the recovery policy.</summary>
public sealed record RulePlan(RecoveryRule Spec, CelExpression? When);

/// <summary>A compiled edge; <paramref name="Reset"/> is what a loop edge runs anew.</summary>
public sealed record EdgePlan(int Index, EdgeSpec Spec, CelExpression? When, IReadOnlyList<string> Reset)
{
    /// <summary>What must be agreed on before its target starts; null = nothing.</summary>
    public HandoffPlan? Handoff { get; init; }

    /// <summary>True for an edge with max_visits.</summary>
    public bool IsLoop => Spec.VisitsMax is not null;

    /// <summary>Of a loop edge: the loop edges within it, which are entered anew with each of its turns.</summary>
    public IReadOnlyList<int> Nested { get; init; } = [];
}

/// <summary>A compiled tool.</summary>
public sealed record ToolPlan(ToolSpec Spec)
{
    /// <summary>Schema of the arguments.</summary>
    public JsonSchema? InputSchema { get; init; }

    /// <summary>Schema of the result.</summary>
    public JsonSchema? OutputSchema { get; init; }

    /// <summary>Guards on the arguments.</summary>
    public IReadOnlyList<GuardPlan> Guards { get; init; } = [];

    /// <summary>Idempotency key.</summary>
    public CelExpression? Key { get; init; }

    /// <summary>Value at stake.</summary>
    public CelExpression? Amount { get; init; }

    /// <summary>URL.</summary>
    public Template? Url { get; init; }

    /// <summary>Headers.</summary>
    public IReadOnlyDictionary<string, Template> Headers { get; init; } = new Dictionary<string, Template>();

    /// <summary>Body.</summary>
    public Template? Body { get; init; }
}

/// <summary>A compiled step with its place in the graph.</summary>
public sealed class StepPlan(StepSpec spec)
{
    private readonly List<IReadOnlyList<string>> _projections = [];

    /// <summary>The step.</summary>
    public StepSpec Spec { get; } = spec;

    /// <summary>Input template; null = the default input.</summary>
    public Template? Input { get; init; }

    /// <summary>Preconditions.</summary>
    public IReadOnlyList<GuardPlan> Pre { get; init; } = [];

    /// <summary>Postconditions.</summary>
    public IReadOnlyList<GuardPlan> Post { get; init; } = [];

    /// <summary>Checked on every call that its agent asks for.</summary>
    public IReadOnlyList<GuardPlan> Calls { get; init; } = [];

    /// <summary>Schema of the output.</summary>
    public JsonSchema? OutputSchema { get; init; }

    /// <summary>Its agent, if it has one.</summary>
    public AgentSpec? Agent { get; init; }

    /// <summary>Its tool, if it has one.</summary>
    public ToolPlan? Tool { get; init; }

    /// <summary>True when the step is one call: of a tool, or a worker's task.</summary>
    public bool OwnsCall => Spec.Type is StepType.ToolCall or StepType.Worker;

    /// <summary>Its effect declaration: its own, else its tool's.</summary>
    public EffectSpec Effect { get; init; } = EffectSpec.None;

    /// <summary>Key of its own effect declaration.</summary>
    public CelExpression? EffectKey { get; init; }

    /// <summary>Amount of its own effect declaration.</summary>
    public CelExpression? EffectAmount { get; init; }

    /// <summary>What it shares with other executions; null = nothing.</summary>
    public SharedPlan? Shared { get; init; }

    /// <summary>Its list, when it runs once per item.</summary>
    public ForEachPlan? ForEach { get; init; }

    /// <summary>The schema that says which numbers of its output others read: its own, or of a for_each step the schema of what became of its items.</summary>
    public JsonElement? ReadSchema { get; init; }

    /// <summary>Outgoing edges.</summary>
    public IReadOnlyList<EdgePlan> Outgoing
    {
        get;
        init
        {
            field = value;
            LeavesByExpressions = value.Any(edge => edge.When is not null || edge.Handoff is not null);
        }
    } = [];

    /// <summary>True when an outgoing edge has a condition or a handoff, so that leaving the step evaluates expressions.</summary>
    public bool LeavesByExpressions { get; private init; }

    /// <summary>Incoming edges that are not loops.</summary>
    public IReadOnlyList<EdgePlan> Incoming { get; init; } = [];

    /// <summary>Incoming loop edges.</summary>
    public IReadOnlyList<EdgePlan> LoopsIn { get; init; } = [];

    /// <summary>
    /// True when only loop edges lead to it and none of them comes back from behind it: it runs only when such an edge is taken. (A first step
    /// that a later one loops back to is no such step: it begins the execution.)
    /// </summary>
    public bool LoopTargetOnly { get; init; }

    /// <summary>Steps whose outputs its input is made from.</summary>
    public IReadOnlyList<string> Reads { get; init; } = [];

    /// <summary>Parts of its output that expressions read.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Projections => _projections;

    /// <summary>Name of the checkpoint its commit makes; null = none.</summary>
    public string? CheckpointName => Spec.Checkpoint ? Spec.CheckpointName ?? Spec.Id : null;

    /// <summary>True when a guard reads what the visit's calls asked and answered.</summary>
    public bool ReadsCalls => Pre.Concat(Post).Concat(Calls).Any(guard => guard.Check.Paths.Any(path => path.Root == "visit" && (path.Segments.Count == 0 || path.Segments[0] == "calls")));

    /// <summary>Every expression of the step that reads small parts; a list of items is read whole, once (Decision.Items).</summary>
    internal IEnumerable<CelExpression> Expressions => (Input?.Expressions.Select(e => e.Expression) ?? [])
        .Concat(Pre.Concat(Post).Concat(Calls).Select(guard => guard.Check))
        .Concat((ForEach?.Pre ?? []).Concat(ForEach?.Post ?? []).Select(guard => guard.Check))
        .Concat(new[] { EffectKey, EffectAmount }.OfType<CelExpression>())
        .Concat(Shared?.Expressions ?? []);

    internal void AddProjection(IReadOnlyList<string> path)
    {
        if (!_projections.Any(known => known.SequenceEqual(path)))
        {
            _projections.Add(path);
        }
    }
}

/// <summary>Compiles the parts and remembers the first problem.</summary>
internal sealed partial class PlanCompiler
{
    public string? Problem { get; private set; }

    public CelExpression? Expression(string? text)
    {
        if (text is null)
        {
            return null;
        }

        var compiled = CelExpression.TryCompile(text, out var error);
        Problem ??= error is null ? null : $"'{text}': {error.Message}";
        return compiled;
    }

    public Template? Template(JsonElement? value)
    {
        if (value is not { } json)
        {
            return null;
        }

        var compiled = Expressions.Template.TryCompile(json, out var errors);
        Problem ??= errors.Count == 0 ? null : errors[0].Error.Message;
        return compiled;
    }

    public JsonSchema? Schema(JsonElement? schema)
    {
        if (schema is not { } json)
        {
            return null;
        }

        var compiled = JsonSchema.TryCompile(json, out var problems);
        Problem ??= problems.Count == 0 ? null : problems[0].Message;
        return compiled;
    }

    public ToolPlan Tool(ToolSpec tool) => new(tool)
    {
        InputSchema = Schema(tool.InputSchema),
        OutputSchema = Schema(tool.OutputSchema),
        Guards = Guards(tool.Guards),
        Key = Expression(tool.Effect.Key),
        Amount = Expression(tool.Effect.Amount),
        Url = Template(Text(tool.Url)),
        Headers = tool.Headers.ToDictionary(header => header.Key, header => Template(Text(header.Value))!, StringComparer.OrdinalIgnoreCase),
        Body = Template(tool.Body),
    };

    public StepPlan Step(WorkflowSpec spec, StepSpec step, EdgePlan[] incoming, EdgePlan[] outgoing, Dictionary<string, ToolPlan> tools)
    {
        var input = Template(step.Input);
        var tool = step.Type == StepType.Worker ? Task(step) : step.Tool is { } name ? tools.GetValueOrDefault(name) : null;
        var forEach = step.ForEach is { } each ? ForEach(spec, each) : null;
        var read = (input?.Expressions.Select(e => e.Expression) ?? []).Concat(new[] { forEach?.Items }.OfType<CelExpression>());
        var reads = input is null && forEach is null
            ? incoming.Where(edge => !edge.IsLoop).Select(edge => edge.Spec.From)
            : read.SelectMany(expression => expression.Paths).Where(path => path.Root == "steps" && path.Segments.Count > 0).Select(path => path.Segments[0]);
        var shared = Shared(step.Shared);
        return new StepPlan(step)
        {
            Shared = shared,
            Input = input,
            Pre = Guards(step.Pre),
            Post = Guards(step.Post),
            Calls = Guards(step.Calls),
            OutputSchema = Schema(step.OutputSchema),
            Agent = step.Agent is { } agent ? spec.Agents.GetValueOrDefault(agent) : null,
            Tool = tool,
            Effect = step.Effect ?? tool?.Spec.Effect ?? EffectSpec.None,
            EffectKey = Expression(step.Effect?.Key),
            EffectAmount = Expression(step.Effect?.Amount),
            ForEach = forEach,
            ReadSchema = ForEachOutput.SchemaOf(step),
            Outgoing = outgoing,
            LoopsIn = [.. incoming.Where(edge => edge.IsLoop)],
            Incoming = [.. incoming.Where(edge => !edge.IsLoop)],
            LoopTargetOnly = incoming.Length > 0 && incoming.All(edge => edge.IsLoop && !edge.Reset.Contains(edge.Spec.From)),
            Reads = [.. reads.Concat(shared?.Sources ?? []).Distinct(StringComparer.Ordinal)],
        };
    }

    private SharedPlan? Shared(SharedSpec? shared) => shared is null ? null : new SharedPlan(
        Named(shared.Locks, name => name, (_, template) => template),
        Named(shared.Reads, read => read.Key, (read, template) => new ReadPlan(read.Name, template)),
        Named(shared.Writes, write => write.Key, (write, template) => new WritePlan(template, Expression(write.Value))),
        (long)shared.Lease.TotalMilliseconds);

    private List<TPlan> Named<TSpec, TPlan>(IReadOnlyList<TSpec> specs, Func<TSpec, SharedName> name, Func<TSpec, Template, TPlan> make)
    {
        var plans = new List<TPlan>();
        foreach (var spec in specs)
        {
            if (Template(Text(name(spec).Text)) is { } template)
            {
                plans.Add(make(spec, template));
            }
        }

        return plans;
    }

    private ForEachPlan? ForEach(WorkflowSpec spec, ForEachSpec each) =>
        Expression(each.Items) is { } items ? new ForEachPlan(items, Guards(each.Pre), Guards(each.Post), ForEachOutput.ItemShapeOf(spec, items)) : null;

    private GuardPlan[] Guards(IReadOnlyList<GuardSpec> guards) =>
        [.. guards.Select(guard => (guard, check: Expression(guard.Check))).Where(pair => pair.check is not null).Select(pair => new GuardPlan(pair.guard, pair.check!) { Explanation = Expression(pair.guard.Explanation) })];

    private static JsonElement? Text(string? text) => text is null ? null : Json.JsonMake.Text(text);
}
