/** A whole small workflow to begin from. */
export const starter = `omium: v0
name: order-summary
description: Summarises an order and checks that the total was kept.
input:
  schema:
    type: object
    required: [order_id, total]
    properties:
      order_id: {type: string}
      total: {type: number, minimum: 0}
agents:
  summariser:
    role: Order clerk
    prompt: Summarise the order you are given and keep its total. Answer as JSON with text and total.
steps:
  - id: summarise
    type: agent_task
    agent: summariser
    input: {order_id: "\${{ input.order_id }}", total: "\${{ input.total }}"}
    output:
      schema:
        type: object
        required: [text, total]
        properties:
          text: {type: string}
          total: {type: number}
    guards:
      post:
        - check: "output.total == input.total"
          code: hallucination
          message: The total in the summary must be the total of the order.
`;
