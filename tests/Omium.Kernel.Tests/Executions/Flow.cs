using System.Globalization;
using Omium.Kernel.Executions;
using static Omium.Kernel.Tests.Executions.KernelHarness;

namespace Omium.Kernel.Tests.Executions;

/// <summary>Short specs for tests: tools and agents that every test knows, steps and edges of its own.</summary>
internal static class Flow
{
    private const string Frame = """
        {"omium": "v0", "name": "flow",
         "agents": {"one": {"prompt": "p", "tools": ["plain", "guarded", "shaped", "pay", "wire"]}, "spare": {"prompt": "spare prompt", "model": "spare-model", "tools": ["plain"]},
                    "two": {"prompt": "second", "tools": ["pay", "book"]}, "three": {"prompt": "third"}},
         "tools": {
           "plain": {"type": "function"},
           "shaped": {"type": "function", "input": {"schema": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}}, "output": {"schema": {"type": "object", "required": ["n"]}}},
           "guarded": {"type": "function", "guards": [{"check": "input.a < 10", "code": "policy_violation"}]},
           "look": {"type": "function"},
           "undo": {"type": "function", "effect": {"kind": "idempotent", "compensate": "undo"}},
           "pay": {"type": "function", "timeout": "10s", "effect": {"kind": "idempotent", "key_ttl": "1h", "compensate": "undo", "amount": "has(input.amount) ? input.amount : 0"}},
           "book": {"type": "function", "timeout": "10s", "effect": {"kind": "verifiable", "verify": "look", "verify_after": "30s", "compensate": "undo"}},
           "keyed": {"type": "function", "effect": {"kind": "idempotent", "key": "'order-' + string(input.x)", "compensate": "undo"}},
           "loose": {"type": "function", "effect": {"kind": "idempotent"}},
           "wire": {"type": "function", "timeout": "10s", "effect": {"kind": "irreversible"}}},
         "steps": [STEPS], "edges": [EDGES]RECOVERY}
        """;

    /// <summary>A harness; without <paramref name="checks"/> it is fast enough for thousands of steps.</summary>
    public static KernelHarness Of(string steps, string edges = "", string recovery = "", bool checks = true) => new(Frame
        .Replace("STEPS", steps, StringComparison.Ordinal)
        .Replace("EDGES", edges, StringComparison.Ordinal)
        .Replace("RECOVERY", recovery.Length == 0 ? "" : $", \"recovery\": {recovery}", StringComparison.Ordinal)) { Checks = checks };

    /// <summary>A tool_call step of the tool <c>plain</c>, or of the one named.</summary>
    public static string Call(string id, string needs = "", string more = "", string tool = "plain") =>
        $$"""{"id": "{{id}}", "type": "tool_call", "tool": "{{tool}}", "needs": [{{Quoted(needs)}}]{{more}}}""";

    public static string Agent(string id, string needs = "", string more = "") =>
        $$"""{"id": "{{id}}", "type": "agent_task", "agent": "one", "needs": [{{Quoted(needs)}}]{{more}}}""";

    public static string Approval(string id, string needs = "", string more = "") => $$"""{"id": "{{id}}", "type": "human_approval", "needs": [{{Quoted(needs)}}]{{more}}}""";

    public static string Edge(string from, string to, string more = "") => $$"""{"from": "{{from}}", "to": "{{to}}"{{(more.Length == 0 ? "" : ", " + more)}}}""";

    public static string Guard(string check, string code = "guard_failed") => $$$""", "guards": {"post": [{"check": "{{{check}}}", "code": "{{{code}}}"}]}""";

    public static VisitStatus Status(this KernelHarness harness, string step) => harness.State.LatestVisit(step)!.Status;

    /// <summary>The run's calls one by one, each answered with <c>{"n": next}</c>.</summary>
    public static Func<string, string, EffectOutcome> Numbers(params int[] numbers)
    {
        var next = 0;
        return (_, _) => Ok(string.Create(CultureInfo.InvariantCulture, $"{{\"n\": {numbers[Math.Min(next++, numbers.Length - 1)]}}}"));
    }

    public static EffectOutcome Asks(params (string Tool, string Arguments)[] calls) => new()
    {
        Answer = new ModelAnswer
        {
            FinishReason = "tool_calls", InputTokens = 100, OutputTokens = 10,
            ToolCalls = [.. calls.Select((call, index) => new ModelToolCall($"call_{index + 1}", call.Tool, call.Arguments))],
        },
    };

    public static DecisionOutcome Settle(this KernelHarness harness, string effect, EffectOutcome outcome, int run = 0) =>
        harness.Send(new SettleEffect(harness.NowMs, effect, outcome, run));

    public static DecisionOutcome Begin(this KernelHarness harness, string effect, string owner = "runner-1") =>
        harness.Send(new BeginCall(harness.NowMs, effect, owner, 5_000));

    public static DecisionOutcome Wake(this KernelHarness harness, long afterMs = 0)
    {
        harness.NowMs += afterMs;
        return harness.Send(new WakeTimers(harness.NowMs));
    }

    public static CallState TheCall(this KernelHarness harness, string step, int number = 1) => harness.State.LatestVisit(step)!.Calls[number - 1];

    public static string[] Due(this KernelHarness harness) => [.. harness.Pending.Where(effect => effect.Kind is not (PendingKind.Notify or PendingKind.Deadline)).Select(effect => effect.Id)];

    private static string Quoted(string names) => string.Join(", ", names.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name => $"\"{name}\""));
}
