namespace Omium.EndToEnd.Crashes;

/// <summary>
/// The workflows of the crash matrix: one payment each, by the kind of its effect, between a step before it and a step after it that change
/// nothing. What the receiver counts is named by the round, so that every kill is counted apart.
/// </summary>
internal static class MatrixWorkflows
{
    public const string Idempotent = "idempotent", Verifiable = "verifiable", Irreversible = "irreversible", Loop = "loop";

    public static readonly string[] Kinds = [Idempotent, Verifiable, Irreversible, Loop];

    /// <summary>An agent that pays once and says so.</summary>
    public const string Script = """
        rules:
          - name: pays
            when: {agent: Payer, turn: 1}
            answer: {tool_calls: [{name: pay, arguments: {name: loop}}]}
          - name: is told that it was paid
            when: {agent: Payer, turn: 2, prompt_contains: loop-}
            answer: {json: {paid: true}}
        """;

    /// <summary>How long after the call the verify tool is believed, in milliseconds.</summary>
    public const int VerifyAfterMs = 100;

    public static string Spec(string kind, Uri receiver) => $$$"""
        omium: v0
        name: matrix-{{{kind}}}
        {{{(kind == Loop ? "agents: {payer: {role: Payer, prompt: Pay once., tools: [pay]} }" : "")}}}
        tools:
          rest: {type: http, url: "{{{receiver}}}effects/${{ input.name }}?dedupe=false"}
          pay: {type: http, timeout: 60s, url: "{{{receiver}}}effects/${{ input.name }}{{{(kind is Idempotent or Loop ? "" : "?dedupe=false")}}}", effect: {{{Effect(kind)}}} }
          refund: {type: http, url: "{{{receiver}}}effects/refund", effect: {kind: idempotent} }
          look_up: {type: http, method: GET, url: "{{{receiver}}}state/${{ input.input.name }}/${{ input.key }}"}
        steps:
          - {id: release, type: {{{(kind == Irreversible ? "human_approval" : "decision")}}}, input: {round: "${{ input.round }}"} }
          - {id: before, type: tool_call, tool: rest, needs: [release], input: {name: "${{ 'before-' + input.round }}"} }
          - {id: pay, {{{(kind == Loop ? "type: agent_task, agent: payer" : "type: tool_call, tool: pay")}}}, needs: [before], input: {name: "${{ '{{{kind}}}-' + input.round }}"} }
          - {id: after, type: tool_call, tool: rest, needs: [pay], input: {name: "${{ 'after-' + input.round }}"} }
        """;

    /// <summary>What the receiver counts a payment of this round as; the agent's have one name for all rounds.</summary>
    public static string NameOf(string kind, int round) => kind == Loop ? Loop : $"{kind}-{round}";

    /// <summary>A payment that is undone, by the kind of the undo, after a person has looked.</summary>
    public static string Undone(string kind, Uri receiver) => $$$"""
        omium: v0
        name: undone-{{{kind}}}
        tools:
          pay: {type: http, url: "{{{receiver}}}effects/pay", effect: {kind: idempotent, compensate: refund} }
          refund:
            type: http
            timeout: 60s
            url: "{{{receiver}}}effects/${{ 'undo-' + input.input.round }}{{{(kind == Idempotent ? "" : "?dedupe=false")}}}"
            effect: {{{(kind == Idempotent ? "{kind: idempotent}" : $"{{kind: verifiable, verify: look_up, verify_after: {VerifyAfterMs}ms}}")}}}
          look_up: {type: http, method: GET, url: "{{{receiver}}}state/${{ 'undo-' + input.input.input.round }}/${{ input.key }}"}
        steps:
          - {id: pay, type: tool_call, tool: pay, input: {round: "${{ input.round }}"} }
          - {id: look, type: human_approval, needs: [pay]}
        """;

    private static string Effect(string kind) => kind switch
    {
        Verifiable => $"{{kind: verifiable, verify: look_up, verify_after: {VerifyAfterMs}ms, compensate: refund}}",
        Irreversible => "{kind: irreversible}",
        _ => "{kind: idempotent, compensate: refund}",
    };
}
