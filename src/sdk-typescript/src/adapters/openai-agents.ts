/** The OpenAI Agents SDK: tools as transactions, and a model whose answers are recorded. Written against @openai/agents 0.20. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Usage, type FunctionTool, type Model, type ModelRequest, type ModelResponse } from '@openai/agents';
import { checkpoint } from '../blocks.js';
import { current } from '../context.js';
import { OmiumError, StepFailed } from '../errors.js';
import type { Json } from '../generated.js';
import { Restart } from '../session.js';
import { plain } from '../values.js';
import { guarded, keyOf, type GuardOptions } from './guard.js';

type StreamEvent = ReturnType<Model['getStreamedResponse']> extends AsyncIterable<infer Event> ? Event : never;
type Execute<Input> = (input: Input, ...more: any[]) => unknown; // eslint-disable-line @typescript-eslint/no-explicit-any

/** What ended a call that is no matter of the model's: a person has to decide, the server is away, the run was taken back. */
const ends = new AsyncLocalStorage<{ error?: unknown }>();

/**
 * The function of a tool, with its calls on record: `tool({ name: 'pay', ..., execute: guardExecute('pay', async ({ usd }) => ..., { effect: 'idempotent' }) })`. A call that
 * the model makes again after a crash, with the same arguments, answers what it gave. `idempotencyKey()` within it is the key to send along. Outside of an execution it is
 * called as it is. Hand the tool through `guardTool`, so that what a person decides is not told to the model as an error of the tool.
 */
export function guardExecute<Input, Execution extends Execute<Input>>(name: string, execute: Execution & Execute<Input>, options: GuardOptions = {}): Execution {
  const guard = guarded(name, async (input: Input, ...more: unknown[]) => await execute(input, ...more), options);
  return (async (input: Input, ...more: unknown[]) => {
    if (current() === undefined) return await execute(input, ...more);
    try {
      return await guard(input, ...more);
    } catch (error) {
      const slot = ends.getStore();
      if (slot !== undefined && (error instanceof Restart || (error instanceof OmiumError && !(error instanceof StepFailed)))) slot.error = error;
      throw error;
    }
  }) as unknown as Execution;
}

/** A tool made of a guarded function: errors that are no matter of the model's end the run. Gives the tool back. */
export function guardTool<Kind extends FunctionTool<any, any, any>>(tool: Kind): Kind { // eslint-disable-line @typescript-eslint/no-explicit-any
  const invoke = tool.invoke.bind(tool);
  const guard: Kind['invoke'] = async (...given) => {
    const slot: { error?: unknown } = {};
    const result: unknown = await ends.run(slot, async () => await invoke(...given));
    if (slot.error !== undefined) throw slot.error;
    return result;
  };
  return Object.assign(tool, { invoke: guard });
}

/**
 * A model whose answers are recorded as checkpoints, so that a program which is started again takes the same way without asking it:
 * `new Agent({ model: recordModel(await provider.getModel('gpt-5')), ... })`. Answers are known by what was asked; of a stream, the last event is told once it is recorded.
 */
export function recordModel(model: Model, name = 'model'): Model {
  return {
    ...(model.getRetryAdvice && { getRetryAdvice: model.getRetryAdvice.bind(model) }),
    ...(model.supportsPromptModelSelection !== undefined && { supportsPromptModelSelection: model.supportsPromptModelSelection }),
    async getResponse(request) {
      if (current() === undefined) return await model.getResponse(request);
      let live: ModelResponse | undefined;
      const kept = await checkpoint(name, async () => asJson((live = await model.getResponse(request))), { key: keyOf(name, asked(request)) });
      return live ?? revived(kept);
    },
    async *getStreamedResponse(request) {
      if (current() === undefined) return yield* model.getStreamedResponse(request);
      const live: StreamEvent[] = [];
      const stream = new TransformStream<StreamEvent, StreamEvent>();
      const writer = stream.writable.getWriter();
      const kept = checkpoint(name, async () => {
        for await (const event of model.getStreamedResponse(request)) {
          if (live.length > 0) await writer.write(live.at(-1)!); // One behind: the last is told once all is recorded.
          live.push(event);
        }
        return asJson(live);
      }, { key: keyOf(name, asked(request)) });
      kept.then(async (events) => {
        for (const event of live.length > 0 ? live.slice(-1) : (events as unknown as StreamEvent[])) await writer.write(event);
        await writer.close();
      }).catch((error: unknown) => writer.abort(error));
      yield* stream.readable as unknown as AsyncIterable<StreamEvent>;
      return undefined;
    },
  };
}

const asked = ({ systemInstructions, input, tools, outputType }: ModelRequest): Json => asJson({ systemInstructions, input, tools, outputType });

const asJson = (value: unknown): Json => plain(JSON.parse(JSON.stringify(value)), 'what the model was asked or answered');

function revived(kept: Json): ModelResponse {
  const response = structuredClone(kept) as unknown as ModelResponse;
  return { ...response, usage: new Usage(response.usage) };
}
