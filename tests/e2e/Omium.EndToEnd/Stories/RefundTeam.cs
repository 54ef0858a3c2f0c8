namespace Omium.EndToEnd.Stories;

/// <summary>
/// Five agents refund an order: intake, research, decision, check, payment. One workflow with its guards for every case of S35; what the agents
/// say differs by the case that stands in the input.
/// </summary>
internal static class RefundTeam
{
    /// <summary>Name of the payment at the receiver.</summary>
    public const string Pay = "team_pay";

    /// <summary>The workflow. <c>max_turns</c> and <c>max_visits</c> are small, so that what never ends ends soon.</summary>
    public static string Spec(Uri receiver) => $$$"""
        omium: v0
        name: refund-team
        input:
          schema: {type: object, required: [case, order_id, message]}
        agents:
          intake: {role: Intake agent, prompt: Say what the customer wants. Ask when the account is missing., tools: [lookup_order]}
          research: {role: Research agent, prompt: Find out about the order., tools: [lookup_order, lookup_policy], max_turns: 6}
          decider: {role: Decision agent, prompt: Decide the refund.}
          checker: {role: Check agent, prompt: Check the decision against the ledger., tools: [check_ledger]}
          payer: {role: Payment agent, prompt: Pay what was decided., tools: [pay]}
        tools:
          lookup_order: {type: http, url: "{{{receiver}}}effects/lookup_order", effect: {kind: none} }
          lookup_policy: {type: http, url: "{{{receiver}}}effects/lookup_policy", effect: {kind: none} }
          check_ledger: {type: http, url: "{{{receiver}}}effects/check_ledger", effect: {kind: none} }
          pay: {type: http, url: "{{{receiver}}}effects/{{{Pay}}}", effect: {kind: idempotent, compensate: unpay} }
          unpay: {type: http, url: "{{{receiver}}}effects/team_unpay", effect: {kind: idempotent} }
        steps:
          - id: intake
            type: agent_task
            agent: intake
            guards:
              post:
                - {asks: output.question, when_missing: [input.account]}
          - id: research
            type: agent_task
            agent: research
            input: {case: "${{ input.case }}", order_id: "${{ input.order_id }}", wish: "${{ steps.intake.output.wish }}"}
            guards:
              calls:
                - {check: "!has(call.arguments.order_id) || call.arguments.order_id == input.order_id", code: task_derailment, message: This is about another order.}
                - {check: "!visit.calls.exists(made, made.ok && made.tool == call.tool && made.arguments == call.arguments)", code: conversation_reset, message: This was answered already.}
              post:
                - {called: [lookup_order, lookup_policy]}
                - {uses: ["visit.calls.filter(made, made.tool == 'lookup_order').map(made, made.result.total)"], code: lost_history, message: What was looked up is forgotten}
                - {uses: ["visit.calls.filter(made, made.tool == 'lookup_order').map(made, made.result.flag)"], code: information_withholding, message: The flag is not handed on}
          - id: decide
            type: agent_task
            agent: decider
            input: {case: "${{ input.case }}", found: "${{ steps.research.output }}"}
            output:
              schema: {type: object, required: [amount, reason], properties: {amount: {type: number}, reason: {type: string} } }
            guards:
              post:
                - {check: "output.amount <= steps.research.output.total", code: disobey_task_specification, message: More than the order was worth.}
                - {uses: [steps.research.output.flag], in: output.reason}
          - id: check
            type: agent_task
            agent: checker
            input: {case: "${{ input.case }}", decision: "${{ steps.decide.output }}"}
            output:
              schema: {type: object, required: [approved], properties: {approved: {type: boolean} } }
            guards:
              post:
                - {called: [check_ledger], code: missing_verification, message: Nothing was checked}
                - {check: "!output.approved || visit.calls.exists(made, made.tool == 'check_ledger' && made.ok && made.result.covered)", code: incorrect_verification, message: Approved against the ledger.}
          - id: pay
            type: agent_task
            agent: payer
            plan: turn
            input: {case: "${{ input.case }}", decision: "${{ steps.decide.output }}"}
        edges:
          - {from: intake, to: research, when: "!has(output.question)"}
          - {from: research, to: decide}
          - {from: decide, to: check}
          - {from: check, to: decide, when: "!output.approved", max_visits: 6}
          - {from: check, to: pay, when: output.approved}
        """;

    /// <summary>What every agent says when nothing is wrong; the rules of a case stand before these.</summary>
    public const string Clean = """
          - {when: {agent: Intake agent}, answer: {json: {wish: a refund for the order}}}
          - {when: {agent: Research agent, turn: 1}, answer: {tool_calls: [{name: lookup_order, arguments: {order_id: A-17}}, {name: lookup_policy, arguments: {topic: refunds}}]}}
          - {when: {agent: Research agent}, answer: {json: {total: 59.90, flag: late parcel, account: DE-44}}}
          - {when: {agent: Decision agent}, answer: {json: {amount: 42.50, reason: "Late parcel, so a part is refunded."}}}
          - {when: {agent: Check agent, turn: 1}, answer: {tool_calls: [{name: check_ledger, arguments: {}}]}}
          - {when: {agent: Check agent}, answer: {json: {approved: true}}}
          - {when: {agent: Payment agent, turn: 1}, answer: {content: '{"plan": [{"tool": "pay", "arguments": {"amount": 42.5}}]}', tool_calls: [{name: pay, arguments: {amount: 42.50}}]}}
          - {when: {agent: Payment agent}, answer: {json: {paid: 42.50}}}
        """;
}
