/** The client against the real server: conditions, pages, streams. */
import { describe, expect, it } from 'vitest';
import { Changed, Client, ExecutionFailed, NeedsPerson, runWorkflow } from '../src/index.js';
import { fresh, line, useServer } from './support.js';

const decides = (name: string, check = 'true'): object => ({
  omium: 'v0', name, input: { schema: { type: 'object' } },
  steps: [{ id: 'one', type: 'decision', input: { n: 1 }, guards: { pre: [{ check, code: 'no_good', message: 'not today' }] } }],
});
const asks = (name: string): object => ({ omium: 'v0', name, steps: [{ id: 'ask', type: 'human_approval', input: { question: 'go?' } }] });

describe('client', () => {
  useServer();

  it('Me_TellsTenantAndCredits', async () => {
    const me = await new Client().me();
    expect(me.tenant).toBeTypeOf('string');
  });

  it('RunWorkflow_WaitsForTheOutput', async () => {
    const name = fresh('workflow');
    await new Client().saveWorkflow(decides(name));
    expect(await runWorkflow(name, {}, { timeoutMs: 30_000 })).toBeDefined();
  });

  it('RunWorkflow_ThatFails_SaysWhy', async () => {
    const name = fresh('workflow');
    await new Client().saveWorkflow(decides(name, 'false'));
    const failed = await line(ExecutionFailed, () => runWorkflow(name, {}, { timeoutMs: 30_000 }), name, 'not today');
    expect(failed.execution).toMatchObject({ status: 'failed' });
  });

  it('RunWorkflow_ThatWaitsForAPerson_NamesTheReview', async () => {
    const [name, client] = [fresh('workflow'), new Client()];
    await client.saveWorkflow(asks(name));
    const needed = await line(NeedsPerson, () => runWorkflow(name, {}, { timeoutMs: 30_000 }), 'omium approve');
    for await (const review of client.reviews({ status: 'open', workflow: name })) await client.decide(review, 'approve');
    const { status } = await client.wait((await client.request<{ execution: string }>('GET', `/v1/reviews/${needed.review}`)).execution);
    expect(status).toBe('succeeded');
  });

  it('Tags_ChangeWithWhatTheyTag_AndGuardIt', async () => {
    const [name, client] = [fresh('workflow'), new Client()];
    const saved = await client.saveWorkflow(decides(name), { ifNoneMatch: '*' });
    expect(await client.workflow(name, saved.etag)).toBeUndefined();
    const changed = await client.saveWorkflow(decides(name, '1 < 2'), { ifMatch: saved.etag });
    expect(await client.workflow(name, saved.etag)).toEqual({ value: changed.value, etag: changed.etag });
    await line(Changed, () => client.saveWorkflow(decides(name, '1 < 3'), { ifMatch: saved.etag }));
  });

  it('Start_WithAKey_StartsOnce', async () => {
    const [name, client] = [fresh('workflow'), new Client()];
    await client.saveWorkflow(decides(name));
    const ids = await Promise.all([1, 2, 3].map(async () => (await client.start(name, {}, { startKey: name })).id));
    expect(new Set(ids).size).toBe(1);
  });

  it('Executions_OfManyPages_ComeOnceEach', async () => {
    const [name, client] = [fresh('workflow'), new Client()];
    await client.saveWorkflow(decides(name));
    const started = await Promise.all(Array.from({ length: 60 }, async () => (await client.start(name, {})).id));
    const listed = [];
    for await (const execution of client.executions({ workflow: name })) listed.push(execution.id);
    expect(listed.sort()).toEqual(started.sort());
  });

  it('Stream_OfARun_TellsEveryRecordInOrderAndEndsWithIt', async () => {
    const [name, client] = [fresh('workflow'), new Client()];
    await client.saveWorkflow(decides(name));
    const { id } = await client.start(name, {});
    const [streamed, listed]: [number[], number[]] = [[], []];
    for await (const event of client.stream(id)) if (event.type === 'record') streamed.push(event.record.seq);
    for await (const record of client.events(id)) listed.push(record.seq);
    expect(streamed).toEqual(listed);
    expect((await client.execution(id)).status).toBe('succeeded');
  });
});
