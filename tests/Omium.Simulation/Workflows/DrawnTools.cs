namespace Omium.Simulation.Workflows;

/// <summary>The agents and tools of every drawn workflow: one tool of each kind of effect, with and without probe.</summary>
internal static class DrawnTools
{
    /// <summary>Amounts above this need approval.</summary>
    public const double HighValueUsd = 10_000;

    /// <summary>What a step of a queue declares as the effect of its task.</summary>
    public static string TaskEffect(string queue) => queue switch
    {
        "checked" => """{"kind": "verifiable", "verify": "look", "verify_after": "30s", "compensate": "undo"}""",
        "twice" => """{"kind": "idempotent", "key_ttl": "1h", "verify": "look", "compensate": "undo"}""",
        _ => """{"kind": "none"}""",
    };

    /// <summary>How long the receiver of a tool honours a key.</summary>
    public static long KeyTtlMs(string tool) => tool == "blind" || tool.StartsWith("sdk:", StringComparison.Ordinal) ? 86_400_000 : 3_600_000;

    /// <summary>A probe comes no earlier after the intent than this; a request arrives before it or never.</summary>
    public const long VerifyAfterMs = 30_000;

    /// <summary>An argument above this breaks the guard of every tool that has an effect.</summary>
    public const int ArgumentMax = 8;

    public const string Json = """
        "agents": {
          "one": {"prompt": "p", "tools": ["plain", "twice", "checked"]},
          "bold": {"prompt": "p", "tools": ["plain", "twice", "checked", "final", "pricey"]},
          "spare": {"prompt": "q", "tools": ["plain"], "model": "other"}},
        "tools": {
          "plain": {"type": "function"},
          "look": {"type": "function"},
          "undo": {"type": "function", "effect": {"kind": "idempotent", "compensate": "undo"}},
          "twice": {"type": "function", "guards": [{"check": "!has(input.a) || input.a <= 8", "code": "policy_violation"}], "effect": {"kind": "idempotent", "key_ttl": "1h", "verify": "look", "compensate": "undo"}},
          "blind": {"type": "function", "timeout": "10s", "effect": {"kind": "idempotent", "key_ttl": "24h", "compensate": "undo"}},
          "checked": {"type": "function", "effect": {"kind": "verifiable", "verify": "look", "verify_after": "30s", "compensate": "undo"}},
          "final": {"type": "function", "effect": {"kind": "irreversible"}},
          "pricey": {"type": "function", "effect": {"kind": "idempotent", "key_ttl": "1h", "verify": "look", "compensate": "undo", "amount": "has(input.amount) ? input.amount : 0"}}}
        """;

    /// <summary>The agents and tools of a workflow with these limits; with agreement, also verifiers and a tool that measures.</summary>
    public static string JsonOf(IReadOnlyList<DrawnLimits> limits, bool agreement)
    {
        var text = agreement
            ? Json.Replace("\"agents\": {", $"\"agents\": {{ {string.Concat(DrawnVerifiers.Agents.Select(agent => $"\"{agent}\": {{\"prompt\": \"{agent}\"}}, "))}", StringComparison.Ordinal)
                .Replace("\"tools\": {\n", "\"tools\": {\n  \"measure\": {\"type\": \"function\"},\n", StringComparison.Ordinal)
            : Json;
        return limits.Aggregate(text, (known, limit) => known.Replace($"\"{limit.Tool}\": {{\"type\"", $"\"{limit.Tool}\": {{\"limits\": {limit.Json}, \"type\"", StringComparison.Ordinal));
    }

    public static readonly IReadOnlyList<string> Callable = ["plain", "twice", "blind", "checked", "final", "pricey"];

    public static string KindOf(string tool) => tool switch
    {
        "twice" or "blind" or "pricey" or "worker:twice" => "idempotent",
        "checked" or "worker:checked" => "verifiable",
        "final" => "irreversible",
        _ when tool.StartsWith("sdk:", StringComparison.Ordinal) => tool[4..tool.IndexOfAny(['+', ':'], 4)], // A transaction says its kind in its name.
        _ => "none",
    };
}
