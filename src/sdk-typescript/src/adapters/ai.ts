/** The Vercel AI SDK: tools as transactions, and a model whose answers are recorded. Written against `ai` 6. */
import type { LanguageModelMiddleware, Tool } from 'ai';
import { checkpoint } from '../blocks.js';
import { current } from '../context.js';
import type { Json } from '../generated.js';
import { plain } from '../values.js';
import { guarded, keyOf, type GuardOptions } from './guard.js';

type Middleware = LanguageModelMiddleware;
type Generated = Awaited<ReturnType<Parameters<NonNullable<Middleware['wrapGenerate']>>[0]['doGenerate']>>;
type Streamed = Awaited<ReturnType<Parameters<NonNullable<Middleware['wrapStream']>>[0]['doStream']>>;
type Part = Streamed['stream'] extends ReadableStream<infer Kind> ? Kind : never;

/**
 * A tool whose calls are on record: `tools: { pay: guardTool('pay', tool({...}), { effect: 'idempotent', compensate: refund }) }`. A call that the model makes again
 * after a crash, with the same arguments, answers what it gave. `idempotencyKey()` within `execute` is the key to send along. Outside of an execution it is called as it is.
 */
export function guardTool<Kind extends Tool<any, any>>(name: string, tool: Kind, options: GuardOptions = {}): Kind { // eslint-disable-line @typescript-eslint/no-explicit-any
  const { execute } = tool;
  if (execute === undefined) return tool; // It is answered elsewhere.
  const guard = guarded(name, async (input: unknown, more: Parameters<typeof execute>[1]) => await last(execute(input, more)), options);
  return { ...tool, execute: async (input: unknown, more: Parameters<typeof execute>[1]) => (current() === undefined ? execute(input, more) : await guard(input, more)) };
}

/**
 * Middleware that records each answer of a model as a checkpoint, so that a program which is started again takes the same way without asking it:
 * `wrapLanguageModel({ model, middleware: recordModel() })`. Answers are known by what was asked; a stream is recorded before its end is told.
 */
export function recordModel(name = 'model'): Middleware {
  return {
    specificationVersion: 'v3',
    wrapGenerate: async ({ doGenerate, params }) => {
      if (current() === undefined) return await doGenerate();
      let live: Generated | undefined;
      const kept = await checkpoint(name, async () => keep((live = await doGenerate())), { key: keyOf(name, asJson(params.prompt)) });
      return live ?? revived<Generated>(kept);
    },
    wrapStream: async ({ doStream, params }) => {
      if (current() === undefined) return await doStream();
      let pass: (live: Streamed) => void = () => undefined;
      const passed = new Promise<Streamed>((resolve) => (pass = resolve));
      const kept = checkpoint(name, async () => {
        const live = await doStream();
        const [mine, theirs] = live.stream.tee();
        pass({ ...live, stream: theirs.pipeThrough(new TransformStream<Part, Part>({ flush: async () => void (await kept) })) });
        const parts: Part[] = [];
        for await (const part of mine as unknown as AsyncIterable<Part>) parts.push(part);
        return keep(parts);
      }, { key: keyOf(name, asJson(params.prompt)) });
      return await Promise.race([passed, kept.then((parts): Streamed => ({ stream: streamOf(revived<Part[]>(parts)) }))]);
    },
  };
}

/** The result, of one that tells of its progress the last. */
async function last(result: unknown): Promise<unknown> {
  const told: unknown = await result;
  if (typeof told !== 'object' || told === null || !(Symbol.asyncIterator in told)) return told;
  let newest: unknown;
  for await (const one of told as AsyncIterable<unknown>) newest = one;
  return newest;
}

/** JSON of an answer: without what was sent for it; bytes as base64, which files of an answer may be. */
function keep(answer: Generated | Part[]): Json {
  if (Array.isArray(answer)) return asJson(answer);
  const { request: _, response, ...rest } = answer;
  return asJson({ ...rest, response: response && { id: response.id, timestamp: response.timestamp, modelId: response.modelId } });
}

function asJson(value: unknown): Json {
  const text = JSON.stringify(value, (_, item: unknown) => (item instanceof Uint8Array ? Buffer.from(item).toString('base64') : item));
  return plain(JSON.parse(text), 'what the model was asked or answered');
}

/** Times are times again. */
function revived<T>(kept: Json): T {
  const withTime = (part: Json): Json => {
    const timed = typeof part === 'object' && part !== null && !Array.isArray(part) ? (part.response ?? part) : undefined;
    if (typeof timed === 'object' && timed !== null && !Array.isArray(timed) && typeof timed.timestamp === 'string') Object.assign(timed, { timestamp: new Date(timed.timestamp) });
    return part;
  };
  const copy = structuredClone(kept);
  return (Array.isArray(copy) ? copy.map(withTime) : withTime(copy)) as T;
}

function streamOf(parts: Part[]): ReadableStream<Part> {
  return new ReadableStream<Part>({
    start: (controller) => {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}
