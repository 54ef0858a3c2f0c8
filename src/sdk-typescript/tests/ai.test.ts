/** The Vercel AI SDK, the real library, on its own mock of a model. */
import { generateText, stepCountIs, streamText, tool, wrapLanguageModel } from 'ai';
import { MockLanguageModelV3 } from 'ai/test';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { guardTool, recordModel } from '../src/adapters/ai.js';
import { agent, compensation, idempotencyKey } from '../src/index.js';
import { fresh, useServer } from './support.js';

type Content = Awaited<ReturnType<MockLanguageModelV3['doGenerate']>>['content'];
type Stream = Awaited<ReturnType<MockLanguageModelV3['doStream']>>['stream'];
type Part = Stream extends ReadableStream<infer Kind> ? Kind : never;

const usage = { inputTokens: { total: 7, noCache: 7, cacheRead: undefined, cacheWrite: undefined }, outputTokens: { total: 3, text: 3, reasoning: undefined } };
const unpay = compensation('ai:unpay', () => undefined);
const payCall = (number: number, usd: number) => ({ type: 'tool-call' as const, toolCallId: `call-${number}-${Math.random()}`, toolName: 'pay', input: JSON.stringify({ usd }) });

describe('Vercel AI SDK', () => {
  useServer();
  let calls: string[];
  let fails: boolean;
  let model: MockLanguageModelV3;
  beforeEach(() => {
    [calls, fails] = [[], true];
    const say = (answers: number): { content: Content; finishReason: { unified: 'stop' | 'tool-calls'; raw: undefined } } => (answers === 0
      ? { content: [payCall(0, 12), payCall(1, 13)], finishReason: { unified: 'tool-calls', raw: undefined } }
      : { content: [{ type: 'text', text: 'Paid.' }], finishReason: { unified: 'stop', raw: undefined } });
    const answersIn = (prompt: { role: string }[]): number => prompt.filter((message) => message.role === 'assistant').length;
    model = new MockLanguageModelV3({
      doGenerate: async ({ prompt }) => ({ ...say(answersIn(prompt)), usage, warnings: [], response: { id: 'r1', timestamp: new Date(5), modelId: 'mock', headers: { secret: 'x' } } }),
      doStream: async ({ prompt }) => {
        const { content, finishReason } = say(answersIn(prompt));
        const parts: Part[] = [{ type: 'stream-start', warnings: [] }, { type: 'response-metadata', id: 'r1', timestamp: new Date(5), modelId: 'mock' }];
        for (const part of content) {
          if (part.type === 'text') parts.push({ type: 'text-start', id: 't' }, { type: 'text-delta', id: 't', delta: part.text }, { type: 'text-end', id: 't' });
          else parts.push(part as Part);
        }
        parts.push({ type: 'finish', usage, finishReason });
        return { stream: ReadableStream.from(parts) as Stream };
      },
    });
  });

  const asked = () => ({
    model: wrapLanguageModel({ model, middleware: recordModel() }), prompt: 'Buy tea.', stopWhen: stepCountIs(5),
    tools: {
      pay: guardTool('pay', tool({
        inputSchema: z.object({ usd: z.number() }),
        execute: async ({ usd }) => {
          calls.push(`pay ${usd} ${idempotencyKey()}`);
          return { paid: usd };
        },
      }), { effect: 'idempotent', compensate: unpay }),
    },
  });

  async function twice(work: () => Promise<unknown>): Promise<unknown> {
    const shopping = agent('shopping', async () => {
      const told = await work();
      if (fails) throw new Error('the process falls over');
      return told;
    }).with({ id: fresh() });
    await expect(shopping()).rejects.toThrow('falls over');
    fails = false;
    return await shopping();
  }

  const seen = (): string[] => calls.map((call) => call.split(' ').slice(0, 2).join(' ')).sort();

  it('Generate_StartedAgain_AsksNoModelAndCallsNoToolTwice', async () => {
    const told = await twice(async () => {
      const { text, steps, totalUsage, response } = await generateText(asked());
      return [text, steps[0]!.toolResults.map((result) => (result.output as { paid: number }).paid), totalUsage.totalTokens, response.timestamp.getTime()];
    });
    expect(told).toEqual(['Paid.', [12, 13], 20, 5]);
    expect([model.doGenerateCalls.length, seen(), new Set(calls).size]).toEqual([2, ['pay 12', 'pay 13'], 2]);
  });

  it('Stream_StartedAgain_TellsTheSameWithoutTheModel', async () => {
    const told = await twice(async () => {
      const result = streamText(asked());
      const types: string[] = [];
      for await (const part of result.fullStream) types.push(part.type);
      return [await result.text, types.filter((type) => type === 'tool-result').length, types.includes('error')];
    });
    expect(told).toEqual(['Paid.', 2, false]);
    expect([model.doStreamCalls.length, seen()]).toEqual([2, ['pay 12', 'pay 13']]);
  });

  it('OutsideOfAnExecution_EverythingIsAsItWas', async () => {
    const { text } = await generateText({ ...asked(), tools: { pay: guardTool('pay', tool({ inputSchema: z.object({ usd: z.number() }), execute: ({ usd }) => void calls.push(`pay ${usd}`) })) } });
    expect([text, seen()]).toEqual(['Paid.', ['pay 12', 'pay 13']]);
  });
});
