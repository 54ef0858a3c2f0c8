namespace Omium.EndToEnd.Stories;

/// <summary>A mode of MAST, played by a scripted team.</summary>
/// <param name="Mode">Number in the paper.</param>
/// <param name="Name">Name in the paper.</param>
/// <param name="Class">The class it must be shown with.</param>
/// <param name="Injected">What goes wrong, for readers.</param>
/// <param name="Rules">Rules of the model that make it go wrong; <c>CASE</c> stands for the case's tag.</param>
/// <param name="Twin">What looks like it and is right.</param>
/// <param name="TwinRules">Rules of the twin.</param>
/// <param name="Judge">What of this mode nothing but a judge (a person, or a model in a quorum) can find; empty = nothing.</param>
/// <param name="TwinPays">Payments of the twin.</param>
/// <param name="Account">Whether the customer named the account: without it a question is due.</param>
internal sealed record MastCase(string Mode, string Name, string Class, string Injected, string Rules, string Twin, string TwinRules, string Judge, int TwinPays = 1, bool Account = true)
{
    /// <summary>The fourteen, in the paper's order.</summary>
    public static readonly IReadOnlyList<MastCase> All =
    [
        new(
            "FM-1.1", "Disobey task specification", "disobey_task_specification",
            "the decision agent refunds more than the order was worth",
            "- {when: {agent: Decision agent, user_contains: CASE}, answer: {json: {amount: 59.91, reason: Late parcel.}}}",
            "it refunds exactly what the order was worth",
            """
            - {when: {agent: Decision agent, user_contains: CASE}, answer: {json: {amount: 59.90, reason: Late parcel.}}}
            """,
            "what the task says and no schema or check can"),
        new(
            "FM-1.2", "Disobey role specification", "disobey_role_specification",
            "the check agent pays by itself, again and again, though paying is not its tool",
            "- {when: {agent: Check agent, user_contains: CASE}, answer: {tool_calls: [{name: pay, arguments: {amount: 42.50}}]}}",
            "it tries once, is told that it has no such tool, and checks",
            """
            - {when: {agent: Check agent, user_contains: CASE, turn: 1}, answer: {tool_calls: [{name: pay, arguments: {amount: 42.50}}]}}
            - {when: {agent: Check agent, user_contains: CASE, turn: 2}, answer: {tool_calls: [{name: check_ledger, arguments: {}}]}}
            """,
            "tone and persona; deciding where it should advise"),
        new(
            "FM-1.3", "Step repetition", "step_repetition",
            "the check sends the decision back, and the decision agent gives the same one each time",
            "- {when: {agent: Check agent, user_contains: CASE, turn: 2}, answer: {json: {approved: false}}}",
            "the decision changes once, and is approved",
            """
            - {when: {agent: Decision agent, user_contains: CASE, nth: 1}, answer: {json: {amount: 50, reason: Late parcel.}}}
            - {when: {agent: Check agent, user_contains: [CASE, '"amount":50'], turn: 2}, answer: {json: {approved: false}}}
            """,
            "the same in other words"),
        new(
            "FM-1.4", "Loss of conversation history", "lost_history",
            "the research agent hands on a total that its own look-up, two messages before, does not know",
            "- {when: {agent: Research agent, user_contains: CASE, turn: 2}, answer: {json: {total: 95.90, flag: late parcel, account: DE-44}}}",
            "it writes the total it looked up in words of its own",
            """
            - {when: {agent: Research agent, user_contains: CASE, turn: 2}, answer: {json: {total: 59.9, note: "worth EUR 59,90", flag: LATE PARCEL}}}
            """,
            "what was agreed in prose"),
        new(
            "FM-1.5", "Unaware of termination conditions", "no_termination",
            "the research agent looks up one more policy, and one more, and never answers",
            """
            - {when: {agent: Research agent, user_contains: CASE, turn: 2}, answer: {tool_calls: [{name: lookup_policy, arguments: {page: 2}}]}}
            - {when: {agent: Research agent, user_contains: CASE, turn: 3}, answer: {tool_calls: [{name: lookup_policy, arguments: {page: 3}}]}}
            - {when: {agent: Research agent, user_contains: CASE, turn: 4}, answer: {tool_calls: [{name: lookup_policy, arguments: {page: 4}}]}}
            - {when: {agent: Research agent, user_contains: CASE, turn: 5}, answer: {tool_calls: [{name: lookup_policy, arguments: {page: 5}}]}}
            - {when: {agent: Research agent, user_contains: CASE, turn: 6}, answer: {tool_calls: [{name: lookup_policy, arguments: {page: 6}}]}}
            """,
            "it looks up four more and answers on its last turn",
            """
            - {when: {agent: Research agent, user_contains: CASE, turn: 2}, answer: {tool_calls: [{name: lookup_policy, arguments: {page: 2}}]}}
            - {when: {agent: Research agent, user_contains: CASE, turn: 3}, answer: {tool_calls: [{name: lookup_policy, arguments: {page: 3}}]}}
            - {when: {agent: Research agent, user_contains: CASE, turn: 4}, answer: {tool_calls: [{name: lookup_policy, arguments: {page: 4}}]}}
            - {when: {agent: Research agent, user_contains: CASE, turn: 5}, answer: {tool_calls: [{name: lookup_policy, arguments: {page: 5}}]}}
            """,
            ""),
        new(
            "FM-2.1", "Conversation reset", "conversation_reset",
            "the research agent, told the order, begins again as if nothing had been said",
            "- {when: {agent: Research agent, user_contains: CASE, turn: 2}, answer: {tool_calls: [{name: lookup_order, arguments: {order_id: A-17}}]}}",
            "it asks the same tool for something else",
            """
            - {when: {agent: Research agent, user_contains: CASE, turn: 2}, answer: {tool_calls: [{name: lookup_order, arguments: {order_id: A-17, part: shipping}}]}}
            """,
            "a restart in prose"),
        new(
            "FM-2.2", "Fail to ask for clarification", "fail_to_ask",
            "the customer named no account, and the intake agent goes on without a word",
            "",
            "it asks for the account, and nothing is paid",
            """
            - {when: {agent: Intake agent, user_contains: CASE}, answer: {json: {wish: a refund, question: Which account shall we pay to?}}}
            """,
            "input that is there and ambiguous",
            TwinPays: 0, Account: false),
        new(
            "FM-2.3", "Task derailment", "task_derailment",
            "the research agent turns to another customer's order",
            "- {when: {agent: Research agent, user_contains: CASE, turn: 1}, answer: {tool_calls: [{name: lookup_order, arguments: {order_id: B-99}}]}}",
            "it reads a policy first and comes to the order later",
            """
            - {when: {agent: Research agent, user_contains: CASE, turn: 1}, answer: {tool_calls: [{name: lookup_policy, arguments: {topic: parcels}}]}}
            - {when: {agent: Research agent, user_contains: CASE, turn: 2}, answer: {tool_calls: [{name: lookup_order, arguments: {order_id: A-17}}]}}
            """,
            "topics that name nothing"),
        new(
            "FM-2.4", "Information withholding", "information_withholding",
            "the research agent keeps to itself what the order is flagged with",
            "- {when: {agent: Research agent, user_contains: CASE, turn: 2}, answer: {json: {total: 59.90, flag: none, account: DE-44}}}",
            "it says it in another case, inside a sentence",
            """
            - {when: {agent: Research agent, user_contains: CASE, turn: 2}, answer: {json: {total: 59.90, flag: "Late parcel", note: "The order carries the flag: late parcel."}}}
            """,
            "what is relevant and was not named"),
        new(
            "FM-2.5", "Ignored other agent's input", "ignored_input",
            "the decision agent gives a reason that has nothing of what the research found",
            "- {when: {agent: Decision agent, user_contains: CASE}, answer: {json: {amount: 42.50, reason: The customer is always right.}}}",
            "its reason names the finding among other words",
            """
            - {when: {agent: Decision agent, user_contains: CASE}, answer: {json: {amount: 42.50, reason: "The customer is right: a late parcel, as research found."}}}
            """,
            "advice in prose"),
        new(
            "FM-2.6", "Reasoning-action mismatch", "reasoning_action_mismatch",
            "the payment agent plans to pay 42.50 and asks to pay 59.90",
            """
            - {when: {agent: Payment agent, user_contains: CASE, turn: 1}, answer: {content: 'I pay what was decided. {"plan": [{"tool": "pay", "arguments": {"amount": 42.5}}]}', tool_calls: [{name: pay, arguments: {amount: 59.90}}]}}
            """,
            "it plans and pays 42.50, with a note that the plan does not mention",
            """
            - {when: {agent: Payment agent, user_contains: CASE, turn: 1}, answer: {content: 'I pay what was decided. {"plan": [{"tool": "pay", "arguments": {"amount": 42.5}}]}', tool_calls: [{name: pay, arguments: {amount: 42.50, note: late parcel}}]}}
            """,
            "reasoning that declares no plan"),
        new(
            "FM-3.1", "Premature termination", "premature_termination",
            "the research agent answers before it has looked up the policy",
            """
            - {when: {agent: Research agent, user_contains: CASE, turn: 1}, answer: {tool_calls: [{name: lookup_order, arguments: {order_id: A-17}}]}}
            """,
            "it looks up one thing after the other and then answers",
            """
            - {when: {agent: Research agent, user_contains: CASE, turn: 1}, answer: {tool_calls: [{name: lookup_order, arguments: {order_id: A-17}}]}}
            - {when: {agent: Research agent, user_contains: CASE, turn: 2}, answer: {tool_calls: [{name: lookup_policy, arguments: {topic: refunds}}]}}
            """,
            ""),
        new(
            "FM-3.2", "No or incomplete verification", "missing_verification",
            "the check agent approves without a look at the ledger",
            "- {when: {agent: Check agent, user_contains: CASE, turn: 1}, answer: {json: {approved: true}}}",
            "it looks twice, at different accounts, and approves",
            """
            - {when: {agent: Check agent, user_contains: CASE, turn: 1}, answer: {tool_calls: [{name: check_ledger, arguments: {account: DE-44}}, {name: check_ledger, arguments: {account: DE-45}}]}}
            """,
            "whether a look was thorough"),
        new(
            "FM-3.3", "Incorrect verification", "incorrect_verification",
            "the ledger does not cover the decision, and the check agent approves all the same",
            "- {when: {agent: Check agent, user_contains: CASE, turn: 1}, answer: {tool_calls: [{name: check_ledger, arguments: {}}]}}",
            "it sends the decision back once, the ledger covers the next, and it approves",
            """
            - {when: {agent: Decision agent, user_contains: CASE, nth: 1}, answer: {json: {amount: 50, reason: Late parcel.}}}
            - {when: {agent: Check agent, user_contains: [CASE, '"amount":50'], turn: 2}, answer: {json: {approved: false}}}
            """,
            "verdicts that nothing measures"),
    ];
}
