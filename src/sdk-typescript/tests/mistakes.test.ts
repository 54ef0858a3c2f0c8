/** A user's mistake is answered with one readable line that says what to do. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import {
  agent, ApiError, checkpoint, Client, LeaseLost, NotAllowed, NotSerializable, OmiumError, ReplayMismatch, SchemaMismatch, ServerUnreachable, startExecution, transaction, Worker,
} from '../src/index.js';
import { fresh, line, useServer } from './support.js';

describe('mistakes', () => {
  const place = useServer();

  it('WrongKey_SaysHowToGetAnother', async () => {
    await line(NotAllowed, () => new Client({ apiKey: 'omk_local_abc_def' }).me(), 'omium init');
  });

  it('NoKey_SaysHowToGetOne', async () => {
    vi.stubEnv('OMIUM_API_KEY', undefined);
    await line(NotAllowed, () => new Client({ url: 'https://api.example.com' }), 'omium init', 'OMIUM_API_KEY');
  });

  it('ServerDown_SaysHowToStartOne', async () => {
    await line(ServerUnreachable, () => new Client({ url: 'http://127.0.0.1:9', apiKey: 'k' }).request('GET', '/v1/me'), '127.0.0.1:9', 'omium dev');
  });

  it('NoAddress_IsNamed', async () => {
    await line(OmiumError, () => new Client({ url: 'localhost:7600', apiKey: 'k' }), 'localhost:7600', 'http://');
  });

  it('NoSuchWorkflow_NamesIt', async () => {
    await line(ApiError, () => new Client().start('nowhere'), 'nowhere');
  });

  it('BadSpec_NamesThePlace', async () => {
    await line(ApiError, () => new Client().saveWorkflow({ omium: 'v0', name: 'broken', steps: [{ id: 'a', type: 'tool_call', tool: 'none' }] }), '/steps/0');
  });

  it.each([
    ['a function', { callback: () => 1 }, 'callback is a function'], ['a date', { at: new Date(0) }, 'toISOString'], ['a map', new Map(), 'Object.fromEntries'], ['a class', { handle: new (class Handle {})() }, 'handle is a Handle'],
    ['no number', [Number.NaN], '[0] is NaN'], ['a large integer', { n: 2 ** 60 }, '2^53'], ['a hole', [1, undefined], '[1] is undefined'], ['half a pair', ['\ud800'], '[0] holds half of a surrogate pair'], ['a name of its own', { $omium: 1 }, 'keeps for itself'],
  ])('NotSerializable_%s_IsNamedWithItsPlace', async (_, value, words) => {
    await line(NotSerializable, agent('careless', async () => await checkpoint('opened', () => value)), 'the result of opened', words);
  });

  it('SchemaMismatch_SaysWhere', async () => {
    const typed = agent('schemas', async () => await checkpoint('typed', () => ({ n: 'x' }), { schema: { type: 'object', properties: { n: { type: 'integer' } } } }));
    await line(SchemaMismatch, typed, 'typed', '/n');
  });

  it('LeaseThatIsLost_SaysThatAnotherHasIt', async () => {
    const client = new Client();
    const begin = { do: 'begin', name: 'x' };
    const { id } = await client.request<{ id: string }>('POST', '/v1/executions', { mode: 'traced', name: 'lost', trace: { owner: 'a', operations: [begin] } });
    await client.request('POST', `/v1/executions/${id}/trace`, { owner: 'b', operations: [{ do: 'lost', gone: 'a' }, begin] });
    await line(LeaseLost, () => client.request('PUT', `/v1/executions/${id}/steps/x@1~1~1~1`, { owner: 'a', output: 1 }), 'lease');
  });

  it('Input_ThatChanges_IsNamed', async () => {
    const asking = agent('asking', async (question: string, stops: boolean) => {
      const answer = await checkpoint('ask', (asked) => asked.toUpperCase(), { input: question });
      if (stops) throw new Error('stop');
      return answer;
    }).with({ id: fresh() });
    await expect(asking('a', true)).rejects.toThrow('stop');
    await line(ReplayMismatch, () => asking('b', false), "'ask'");
    expect(await asking('a', false)).toBe('A');
  });

  it('InvalidName_SaysWhatAName', async () => {
    await line(OmiumError, () => startExecution('a/b'), 'a/b', '1 to 100');
  });

  it('Checkpoint_OutsideOfAnExecution_SaysWhatToDo', async () => {
    await line(OmiumError, () => checkpoint('x', () => 1), 'agent(');
  });

  it('Verifiable_WithoutVerify_IsRefused', async () => {
    await line(OmiumError, () => transaction('x', () => 1, { effect: 'verifiable' }), "'verify'");
  });

  it('CallsOfOneName_AtTheSameTime_NeedKeys', async () => {
    const together = agent('together', async (keyed: boolean) => await Promise.all([0, 1, 2].map((item) => checkpoint('work', () => item, { key: keyed ? `k${item}` : undefined }))));
    expect(await together(true)).toEqual([0, 1, 2]);
    await line(OmiumError, () => together(false), "'work'", 'key');
  });

  it('WorkerWithoutTasks_SaysHowToGiveOne', async () => {
    await line(OmiumError, () => new Worker().run(), 'worker.task');
  });

  it('ConfigThatOthersCanRead_IsRefused', async () => {
    vi.stubEnv('OMIUM_API_KEY', undefined);
    const path = join(place.folder, 'omium', 'config.json');
    mkdirSync(join(place.folder, 'omium'));
    writeFileSync(path, '{"api_key": "x"}');
    chmodSync(path, 0o644);
    await line(OmiumError, () => new Client(), 'chmod 600');
    chmodSync(path, 0o600);
    await line(NotAllowed, () => new Client().me(), 'omium init');
  });
});
