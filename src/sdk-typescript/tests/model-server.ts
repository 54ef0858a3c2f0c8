/** A model over HTTP that speaks the Chat Completions protocol: answers from a script, and counts what it is asked. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What it says in a turn: a text, or calls of tools. */
export type Turn = string | { tool: string; input: unknown }[];

interface Message {
  role: string;
}

export class ModelServer {
  requests: { messages: Message[]; stream?: boolean }[] = [];
  readonly #server: Server;

  /** turns: what is said, by the number of answers that the conversation holds already. */
  constructor(turns: Turn[]) {
    this.#server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece)).on('end', () => {
        const asked = JSON.parse(Buffer.concat(pieces).toString()) as ModelServer['requests'][number];
        this.requests.push(asked);
        const number = asked.messages.filter((message) => message.role === 'assistant').length;
        const told = answer(turns[number]!, number);
        response.writeHead(200, { 'Content-Type': asked.stream ? 'text/event-stream' : 'application/json' });
        if (!asked.stream) return response.end(JSON.stringify(told));
        const { message, finish_reason } = told.choices[0]!;
        const calls = message.tool_calls?.map((call, index) => ({ index, ...call }));
        const chunk = (delta: object, finish: string | null): string => `data: ${JSON.stringify({ ...told, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
        return response.end(`${chunk({ ...message, tool_calls: calls }, null)}${chunk({}, finish_reason)}data: [DONE]\n\n`);
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function answer(turn: Turn, number: number) {
  const calls = typeof turn === 'string' ? undefined : turn.map(({ tool, input }, index) => ({ id: `call_${number}_${index}_${Math.random()}`, type: 'function', function: { name: tool, arguments: JSON.stringify(input) } }));
  const message = { role: 'assistant', content: typeof turn === 'string' ? turn : null, tool_calls: calls };
  return { id: `chatcmpl-${number}`, object: 'chat.completion', created: 1, model: 'scripted', choices: [{ index: 0, message, finish_reason: calls ? 'tool_calls' : 'stop' }], usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } };
}
