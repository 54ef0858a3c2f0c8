/** Workers: tasks are done under leases, what they throw fails their step, and stopping is graceful. */
import { describe, expect, it } from 'vitest';
import { Client, Failed, Worker, type Task } from '../src/index.js';
import { fresh, until, useServer } from './support.js';

const workflow = (name: string, queue: string): object => ({
  omium: 'v0', name, input: { schema: { type: 'object', properties: { n: { type: 'integer' } } } },
  steps: [{ id: 'work', type: 'worker', worker: queue, input: { n: '${{ input.n }}' }, output: { schema: { type: 'object', required: ['doubled'] } } }],
});

describe('workers', () => {
  useServer();

  async function saved(): Promise<{ client: Client; queue: string; name: string; start: (n: number) => Promise<string> }> {
    const [client, queue, name] = [new Client(), fresh('queue').replaceAll('-', '_'), fresh('workflow')];
    await client.saveWorkflow(workflow(name, queue));
    return { client, queue, name, start: async (n) => (await client.start(name, { n })).id };
  }

  it('Task_Done_CommitsItsStep', async () => {
    const { client, queue, start } = await saved();
    const tasks: Task[] = [];
    const worker = new Worker().task(queue, ({ n }: { n: number }, task) => (tasks.push(task), { doubled: n * 2 }));
    const id = await start(21);
    expect([await worker.runOnce(10_000), await worker.runOnce()]).toEqual([true, false]);
    expect((await client.wait(id)).output).toEqual({ work: { doubled: 42 } });
    expect(tasks[0]).toMatchObject({ queue, execution: id, step: 'work', attempt: 1 });
  });

  it('Task_ThatThrowsFailed_FailsWithItsClassAndMessage', async () => {
    const { client, queue, start } = await saved();
    const worker = new Worker().task(queue, ({ n }: { n: number }, { step }) => {
      throw new Failed(`no doubling of ${n} in ${step}`, { failureClass: 'policy_violation', permanent: true });
    });
    const id = await start(1);
    await worker.runOnce(10_000);
    expect((await client.wait(id)).failure).toMatchObject({ class: 'policy_violation', message: 'no doubling of 1 in work' });
  });

  it.each([[() => ({ doubled: () => 1 }), 'doubled is a function'], [() => Promise.reject(new RangeError('too far')), 'RangeError: too far']])('Task_ThatBreaks_IsRecordedInOneLine %#', async (work, words) => {
    const { client, queue, start } = await saved();
    const id = await start(1);
    await new Worker().task(queue, work).runOnce(10_000);
    const told = [];
    for await (const { events } of client.events(id)) told.push(...events);
    expect(JSON.stringify(told)).toContain(words);
  });

  it('Stop_WhileATaskRuns_FinishesItAndTakesNoOther', async () => {
    const { client, queue, start } = await saved();
    let [begun, goOn] = [(): void => undefined, (): void => undefined];
    const [isBegun, mayGoOn] = [new Promise<void>((resolve) => (begun = resolve)), new Promise<void>((resolve) => (goOn = resolve))];
    const worker = new Worker({ concurrency: 1, pollWaitMs: 200 }).task(queue, async ({ n }: { n: number }) => {
      begun();
      await mayGoOn;
      return { doubled: n };
    });
    const ids = [await start(1), await start(2)];
    const running = worker.run();
    await isBegun;
    worker.stop();
    goOn();
    await running;
    expect((await Promise.all(ids.map(async (id) => (await client.execution(id)).status))).sort()).toEqual(['succeeded', 'waiting']);
  });

  it('LeaseThatIsLost_AbortsTheTask', async () => {
    const { client, queue, start } = await saved();
    const id = await start(1);
    const worker = new Worker({ fetch: hurried(client) }).task(queue, async (_, { signal }) => {
      await client.cancel(id);
      await until(() => signal.aborted);
      return { doubled: 0 };
    });
    expect(await worker.runOnce(10_000)).toBe(true);
    expect((await client.execution(id)).status).toBe('cancelled');
  });

  /** Tells the worker of a short lease, so that its heartbeats come soon. */
  function hurried(_: Client): typeof fetch {
    return async (url, init) => {
      const response = await fetch(url, init);
      if (!String(url).endsWith('/v1/workers/poll') || response.status !== 200) return response;
      return new Response(JSON.stringify({ ...((await response.json()) as object), lease_ms: 300 }), { status: 200, headers: response.headers });
    };
  }
});
