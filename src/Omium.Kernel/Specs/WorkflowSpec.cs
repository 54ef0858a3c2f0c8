using System.Text.Json;
using System.Text.Json.Serialization;

namespace Omium.Kernel.Specs;

/// <summary>
/// Workflow Spec v0 as read from JSON: plain data, nothing compiled. Reading is <see cref="SpecReader"/>, checking is <see cref="SpecChecker"/>,
/// compiling is <see cref="WorkflowPlan"/>. Short forms (<c>needs</c>) are already expanded into <see cref="Edges"/>.
/// </summary>
public sealed record WorkflowSpec
{
    /// <summary>Unique per tenant, <c>[a-z0-9-]</c>, at most 63 characters.</summary>
    public required string Name { get; init; }

    /// <summary>Set by the server on save; 0 in a spec that was never saved.</summary>
    public int Version { get; init; }

    /// <summary>Free text.</summary>
    public string? Description { get; init; }

    /// <summary>crewai, langgraph, autogen, sematic, openai-agents or custom.</summary>
    public string? SourceFramework { get; init; }

    /// <summary>JSON Schema of the input; null accepts any object.</summary>
    public JsonElement? InputSchema { get; init; }

    /// <summary>Agents by id.</summary>
    public IReadOnlyDictionary<string, AgentSpec> Agents { get; init; } = new Dictionary<string, AgentSpec>();

    /// <summary>Tools by name.</summary>
    public IReadOnlyDictionary<string, ToolSpec> Tools { get; init; } = new Dictionary<string, ToolSpec>();

    /// <summary>Steps in the order written.</summary>
    public IReadOnlyList<StepSpec> Steps { get; init; } = [];

    /// <summary>Edges: first those of <c>needs</c> in step order, then those written under <c>edges</c>.</summary>
    public IReadOnlyList<EdgeSpec> Edges { get; init; } = [];

    /// <summary>What bounds an execution.</summary>
    public BoundsSpec Bounds { get; init; } = new();

    /// <summary>The workflow's recovery policy; null = the tenant's, else <see cref="RecoveryPolicy.Default"/>.</summary>
    public RecoveryPolicy? Recovery { get; init; }
}

/// <summary>Bounds of one execution: what passes one fails with a class that says so.</summary>
public sealed record BoundsSpec
{
    /// <summary>Most visits of all steps together, skipped ones included; default 100,000. One more is <c>no_termination</c>.</summary>
    public int VisitsMax { get; init; } = 100_000;

    /// <summary>Most calls of one tool with the same arguments in one attempt of an agent, and most calls of tools that are not its own; default 3.</summary>
    public int SameCallsMax { get; init; } = 3;

    /// <summary>
    /// Most calls of one tool with an external effect and the same arguments in one attempt of an agent; default 1: what has been done is not done
    /// again because an agent says so twice. <see cref="SameCallsMax"/> holds as well.
    /// </summary>
    public int SameEffectsMax { get; init; } = 1;

    /// <summary>Most visits in a row of an agent's step with the same input and the same output; default 3. One more is <c>step_repetition</c>.</summary>
    public int SameVisitsMax { get; init; } = 3;
}

/// <summary>An agent: a model with a role, a prompt and the tools it may call.</summary>
public sealed record AgentSpec
{
    /// <summary>Id, <c>[a-z][a-z0-9_]{0,62}</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Role, told to the model.</summary>
    public string? Role { get; init; }

    /// <summary>Goal, told to the model.</summary>
    public string? Goal { get; init; }

    /// <summary>Prompt, told to the model. Text; may hold no templates (data goes through the step's input).</summary>
    public string Prompt { get; init; } = "";

    /// <summary>Model name; null = the installation's default model.</summary>
    public string? Model { get; init; }

    /// <summary>Sampling temperature; null = not sent.</summary>
    public double? Temperature { get; init; }

    /// <summary>Names of tools the model may call.</summary>
    public IReadOnlyList<string> Tools { get; init; } = [];

    /// <summary>Sentences told to the model as rules that must hold.</summary>
    public IReadOnlyList<string> Constraints { get; init; } = [];

    /// <summary>Most model turns in one attempt; default 12.</summary>
    public int TurnsMax { get; init; } = 12;

    /// <summary>Most tokens in one answer; null = not sent.</summary>
    public int? AnswerTokensMax { get; init; }

    /// <summary>Shared limits; null = none.</summary>
    public LimitsSpec? Limits { get; init; }
}

/// <summary>How a tool is reached.</summary>
public enum ToolType
{
    /// <summary>An HTTP request.</summary>
    Http,

    /// <summary>A tool of an MCP server.</summary>
    Mcp,

    /// <summary>A function registered in the hosting process by name.</summary>
    Function,

    /// <summary>A worker that polls; no tool of a spec has this type, a worker's step is called by it.</summary>
    Worker,
}

/// <summary>A tool. Templates in it see <c>input</c> = the arguments of the call, and <c>secrets</c>.</summary>
public sealed record ToolSpec
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>How it is reached.</summary>
    public required ToolType Type { get; init; }

    /// <summary>What it does, told to the model.</summary>
    public string? Description { get; init; }

    /// <summary>JSON Schema of the arguments, told to the model and checked before every call.</summary>
    public JsonElement? InputSchema { get; init; }

    /// <summary>JSON Schema of the result, checked after every call.</summary>
    public JsonElement? OutputSchema { get; init; }

    /// <summary>HTTP: the method; default POST.</summary>
    public string Method { get; init; } = "POST";

    /// <summary>HTTP: the URL; MCP: the address of a server that is not named (template text).</summary>
    public string? Url { get; init; }

    /// <summary>HTTP, and MCP by address: headers (template texts).</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>HTTP: the body (template); absent = the arguments as JSON, except for GET, HEAD and DELETE, which send none.</summary>
    public JsonElement? Body { get; init; }

    /// <summary>MCP: the server, an address or the name of one that the installation has set up.</summary>
    public string? Server { get; init; }

    /// <summary>MCP: the tool's name there; function: the registered name. Default: <see cref="Name"/>.</summary>
    public string? Target { get; init; }

    /// <summary>Guards on the arguments (<c>input</c>), checked before the intent of every call.</summary>
    public IReadOnlyList<GuardSpec> Guards { get; init; } = [];

    /// <summary>Time one call may take; default 30 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What calling it does to the world.</summary>
    public EffectSpec Effect { get; init; } = EffectSpec.None;

    /// <summary>Shared limits; null = none.</summary>
    public LimitsSpec? Limits { get; init; }
}

/// <summary>Limits shared by all executions of a tenant.</summary>
/// <param name="Concurrent">Most calls at a time; more wait.</param>
/// <param name="PerSecond">Most calls a second, on average; more wait.</param>
/// <param name="BreakerFailures">So many failed calls in a row open the breaker.</param>
/// <param name="BreakerCoolDown">How long no call is made then; default 30 s. The first call after it is a probe.</param>
public sealed record LimitsSpec(int? Concurrent, double? PerSecond, int? BreakerFailures, TimeSpan? BreakerCoolDown);

/// <summary>What a call does to the world, and how it may be repeated or undone.</summary>
public enum EffectKind
{
    /// <summary>Nothing outside changes; may be repeated at will.</summary>
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>Repeating with the same key does nothing more.</summary>
    [JsonStringEnumMemberName("idempotent")]
    Idempotent,

    /// <summary>Another tool can tell whether it happened.</summary>
    [JsonStringEnumMemberName("verifiable")]
    Verifiable,

    /// <summary>It cannot be taken back and cannot be checked.</summary>
    [JsonStringEnumMemberName("irreversible")]
    Irreversible,
}

/// <summary>An effect declaration, of a tool or (overriding the tool's) of a step.</summary>
public sealed record EffectSpec
{
    /// <summary>No external effect.</summary>
    public static readonly EffectSpec None = new() { Kind = EffectKind.None };

    /// <summary>Kind.</summary>
    public required EffectKind Kind { get; init; }

    /// <summary>Idempotency key (expression); default: a digest of execution, step, visit, tool, arguments and occurrence.</summary>
    public string? Key { get; init; }

    /// <summary>How long the receiver honours a key; default 24 h.</summary>
    public TimeSpan KeyTtl { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Tool that answers <c>{"status": "done" | "not_done" | "unknown", "output"?}</c>.</summary>
    public string? Verify { get; init; }

    /// <summary>Earliest time after the call at which <see cref="Verify"/> may be believed; default 30 s.</summary>
    public TimeSpan VerifyAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Tool that undoes it; called with <c>{"input": arguments, "output": result, "key": key}</c>.</summary>
    public string? Compensate { get; init; }

    /// <summary>Value at stake in USD (expression over the arguments as <c>input</c>).</summary>
    public string? Amount { get; init; }

    /// <summary>False: the versions read are not validated before the call. Default true.</summary>
    public bool Fresh { get; init; } = true;
}

/// <summary>Kinds of steps.</summary>
public enum StepType
{
    /// <summary>A model does it.</summary>
    AgentTask,

    /// <summary>One call of one tool.</summary>
    ToolCall,

    /// <summary>Evaluated in the kernel: output = input.</summary>
    Decision,

    /// <summary>A person approves or rejects.</summary>
    HumanApproval,

    /// <summary>Another workflow.</summary>
    Workflow,

    /// <summary>Code that polls for work.</summary>
    Worker,

    /// <summary>A step of a traced execution: code that runs elsewhere says when it begins and what came of it. No workflow names it.</summary>
    Traced,
}

/// <summary>A step.</summary>
public sealed record StepSpec
{
    /// <summary>Id, <c>[a-z][a-z0-9_]{0,62}</c> and no CEL reserved word.</summary>
    public required string Id { get; init; }

    /// <summary>Kind.</summary>
    public required StepType Type { get; init; }

    /// <summary>Agent of an agent_task.</summary>
    public string? Agent { get; init; }

    /// <summary>Tool of a tool_call.</summary>
    public string? Tool { get; init; }

    /// <summary>Worker queue, or child workflow's name.</summary>
    public string? Target { get; init; }

    /// <summary>What people are told (human_approval: the question).</summary>
    public string? Description { get; init; }

    /// <summary>Input (template). Absent: an object with the output of every step it needs, by id; of a first step, the workflow's input.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>JSON Schema of the output.</summary>
    public JsonElement? OutputSchema { get; init; }

    /// <summary>Checked before anything runs.</summary>
    public IReadOnlyList<GuardSpec> Pre { get; init; } = [];

    /// <summary>Checked on the output before it is committed.</summary>
    public IReadOnlyList<GuardSpec> Post { get; init; } = [];

    /// <summary>Agents that must agree before it commits (before the intent, when a tool_call has an external effect); null = nobody is asked.</summary>
    public VerifiersSpec? Verifiers { get; init; }

    /// <summary>Agent: checked on every call that it asks for, before the call's intent. A <c>plan</c> stands here and in <see cref="Post"/>, as guards.</summary>
    public IReadOnlyList<GuardSpec> Calls { get; init; } = [];

    /// <summary>True when the agent has to declare its plan in the message that asks for calls (<c>plan: turn</c>).</summary>
    public bool DeclaresPlan { get; init; }

    /// <summary>Effect; overrides the tool's.</summary>
    public EffectSpec? Effect { get; init; }

    /// <summary>Retry; overrides the policy's.</summary>
    public RetrySpec? Retry { get; init; }

    /// <summary>The list it runs for, once per item; null = once.</summary>
    public ForEachSpec? ForEach { get; init; }

    /// <summary>Time one attempt may take; null = the tool's time-out, or 120 s for a model call.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>False: its commit is no checkpoint. Default true.</summary>
    public bool Checkpoint { get; init; } = true;

    /// <summary>Name of its checkpoint; default: the step's id.</summary>
    public string? CheckpointName { get; init; }

    /// <summary>What it shares with other executions; null = nothing.</summary>
    public SharedSpec? Shared { get; init; }
}

/// <summary>A check: a CEL expression that must be true.</summary>
/// <param name="Check">The expression.</param>
/// <param name="Code">Code of the failure; also its class when it is one of <see cref="FailureClasses"/>; default guard_failed.</param>
/// <param name="Message">What people are told when it fails.</param>
public sealed record GuardSpec(string Check, string Code, string? Message)
{
    /// <summary>The short form it was written in (<see cref="GuardForms"/>), of which <see cref="Check"/> is the meaning; null when written as <c>check</c>.</summary>
    public string? Form { get; init; }

    /// <summary>Expression that lists what is wrong, as texts: told to people when the check does not hold; null = nothing more is said.</summary>
    public string? Explanation { get; init; }

    /// <summary>Tools that it names: those that must have been called, or those whose calls it is about.</summary>
    public IReadOnlyList<string> Tools { get; init; } = [];
}

/// <summary>When an edge is taken.</summary>
public enum EdgeOn
{
    /// <summary>The source committed.</summary>
    Success,

    /// <summary>The source failed for good.</summary>
    Failure,

    /// <summary>Either.</summary>
    Always,
}

/// <summary>An edge.</summary>
public sealed record EdgeSpec
{
    /// <summary>Source step.</summary>
    public required string From { get; init; }

    /// <summary>Target step.</summary>
    public required string To { get; init; }

    /// <summary>When it is taken.</summary>
    public EdgeOn On { get; init; } = EdgeOn.Success;

    /// <summary>Further condition (expression).</summary>
    public string? When { get; init; }

    /// <summary>Makes it a loop edge: it triggers alone, at most this often in one execution.</summary>
    public int? VisitsMax { get; init; }

    /// <summary>What sender and receiver must agree on before the target starts; null = nothing.</summary>
    public HandoffSpec? Handoff { get; init; }

    /// <summary>Where it was written: JSON pointer.</summary>
    public string Pointer { get; init; } = "";
}

/// <summary>Retry of a step.</summary>
/// <param name="AttemptsMax">Attempts in all, the first included.</param>
/// <param name="Backoff">Waiting between attempts.</param>
/// <param name="StopOnSameFailure">Stop when a failure's fingerprint was seen before.</param>
public sealed record RetrySpec(int AttemptsMax, Backoff Backoff, bool StopOnSameFailure);

/// <summary>Waiting between attempts.</summary>
/// <param name="Exponential">Doubles each time; else constant.</param>
/// <param name="Initial">First wait.</param>
/// <param name="Max">Longest wait.</param>
/// <param name="Jitter">Spread each wait over its upper half, by the execution's seed.</param>
public sealed record Backoff(bool Exponential, TimeSpan Initial, TimeSpan Max, bool Jitter);
