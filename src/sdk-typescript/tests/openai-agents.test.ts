/** The OpenAI Agents SDK, the real library, over a model server that speaks its protocol. */
import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from '@openai/agents';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { guardExecute, guardTool, recordModel } from '../src/adapters/openai-agents.js';
import { agent, compensation, idempotencyKey, NeedsPerson, type GuardOptions } from '../src/index.js';
import { ModelServer } from './model-server.js';
import { fresh, line, useServer } from './support.js';

setTracingDisabled(true);
const unpay = compensation('unpay', () => undefined);

describe('OpenAI Agents SDK', () => {
  useServer();
  let model: ModelServer;
  let runner: Runner;
  let calls: string[];
  let breaks: string;
  beforeEach(async () => {
    [calls, breaks] = [[], ''];
    model = new ModelServer([[{ tool: 'price', input: { of: 'tea' } }], [{ tool: 'pay', input: { usd: 12 } }, { tool: 'pay', input: { usd: 13 } }, { tool: 'pay', input: { usd: 12 } }], 'Paid.']);
    runner = new Runner({ modelProvider: new OpenAIProvider({ baseURL: await model.start(), apiKey: 'k', useResponses: false }) });
  });
  afterEach(() => model.stop());

  async function shop(options: GuardOptions = { effect: 'idempotent', compensate: unpay }) {
    const price = guardExecute('price', async ({ of }: { of: string }) => {
      calls.push(`price ${of}`);
      return { usd: 12 };
    }, { effect: 'none' });
    const pay = guardExecute('pay', async ({ usd }: { usd: number }) => {
      calls.push(`pay ${usd} ${idempotencyKey()}`);
      if (breaks === 'tool') throw new Error('no answer');
      return { paid: usd };
    }, options);
    return new Agent({
      name: 'shopper', instructions: 'Buy tea.', model: recordModel(await runner.config.modelProvider.getModel('scripted')),
      tools: [
        guardTool(tool({ name: 'price', description: 'price', parameters: z.object({ of: z.string() }), execute: price })),
        guardTool(tool({ name: 'pay', description: 'pay', parameters: z.object({ usd: z.number() }), execute: pay })),
      ],
    });
  }

  const shopping = (options?: GuardOptions, more: object = {}) => agent('shopping', async () => {
    const result = await runner.run(await shop(options), 'tea, please');
    if (breaks === 'end') throw new Error('the process falls over');
    return [result.finalOutput, result.state.usage.totalTokens];
  }, more);

  it('Run_StartedAgain_AsksNoModelAndCallsNoToolTwice', async () => {
    const id = fresh();
    breaks = 'end';
    await expect(shopping().with({ id })()).rejects.toThrow('falls over');
    breaks = '';
    expect(await shopping().with({ id })()).toEqual(['Paid.', 30]);
    expect(model.requests).toHaveLength(3);
    expect(calls.map((call) => call.split(' ').slice(0, 2).join(' ')).sort()).toEqual(['pay 12', 'pay 12', 'pay 13', 'price tea']);
    expect(new Set(calls.filter((call) => call.startsWith('pay')).map((call) => call.split(' ')[2])).size).toBe(3); // A call asked for twice is two calls.
  });

  it('Stream_StartedAgain_TellsTheSameWithoutTheModel', async () => {
    const id = fresh();
    const streaming = agent('streaming', async () => {
      const result = await runner.run(await shop(), 'tea, please', { stream: true });
      const types = [];
      for await (const event of result) types.push(event.type === 'raw_model_stream_event' ? event.data.type : event.type);
      if (breaks === 'end') throw new Error('the process falls over');
      return [result.finalOutput, types.filter((type) => type === 'response_done').length];
    });
    breaks = 'end';
    await expect(streaming.with({ id })()).rejects.toThrow('falls over');
    breaks = '';
    expect(await streaming.with({ id })()).toEqual(['Paid.', 3]);
    expect([model.requests.length, calls.length]).toEqual([3, 4]);
  });

  it('Tool_InDoubt_IsAPersonsMatterAndNotTheModels', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    breaks = 'tool';
    await line(NeedsPerson, shopping({ effect: 'irreversible' }, { waitForPersonMs: 0 }), 'omium approve');
    expect(model.requests).toHaveLength(2);
  });

  it('OutsideOfAnExecution_EverythingIsAsItWas', async () => {
    model.stop();
    model = new ModelServer([[{ tool: 'price', input: { of: 'tea' } }], 'It is 12.']);
    runner = new Runner({ modelProvider: new OpenAIProvider({ baseURL: await model.start(), apiKey: 'k', useResponses: false }) });
    expect((await runner.run(await shop(), 'how much?')).finalOutput).toBe('It is 12.');
    expect(calls).toEqual(['price tea']);
  });
});
