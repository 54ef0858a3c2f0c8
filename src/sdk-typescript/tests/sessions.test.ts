/** What a program that is started again finds: records, leases, compensations, people's decisions. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { agent, captureFailure, checkpoint, Client, compensation, NeedsPerson, NotDone, startExecution, transaction } from '../src/index.js';
import { fresh, line, until, useServer } from './support.js';

let calls: unknown[] = [];
let fails = false;
const refund = compensation('refund', ({ output, idempotencyKey }: { output: { usd: number }; idempotencyKey: string }) => void calls.push(['refund', output.usd, idempotencyKey]));
const unbook = compensation('unbook', async ({ output }) => void calls.push(['unbook', output]));

const trip = agent('trip', async () => {
  const price = await checkpoint('quote', () => note('quote', 12));
  const receipt = await transaction('pay', ({ idempotencyKey }) => note('pay', { usd: price, key: idempotencyKey }), { effect: 'idempotent', compensate: refund });
  const seat = await transaction('book', () => note('book', '12A'), { effect: 'idempotent', compensate: unbook });
  if (fails) throw new TypeError('no letter');
  return await checkpoint('letter', () => note('letter', `${seat} ${receipt.usd}`));
});

function note<T>(what: string, result: T): T {
  calls.push(what);
  return result;
}

describe('sessions', () => {
  useServer();
  let client: Client;
  beforeEach(() => {
    [calls, fails, client] = [[], false, new Client()];
  });

  const executionOf = async (key: string, name: string): Promise<string> => (await client.request<{ id: string }>('POST', '/v1/executions', { mode: 'traced', name, start_key: key })).id;

  it('Values_OfEveryKind_ComeBackAsTheyWere', async () => {
    const values = [undefined, null, '', 'é\u{1f600}', 0, -1.5, 1e-7, true, [], [[1, null]], {}, { a: { b: [] } }, 'x'.repeat(20_000)];
    const keeping = agent('keeping', async (stops: boolean) => {
      const kept = [];
      for (const value of values) kept.push(await checkpoint('value', () => (stops ? value : 'another')));
      if (stops) throw new Error('stop');
      return kept.map((value, index) => Object.is(JSON.stringify(value), JSON.stringify(values[index])));
    }).with({ id: fresh() });
    await expect(keeping(true)).rejects.toThrow('stop');
    expect(await keeping(false)).toEqual(values.map(() => true));
  });

  it('Loop_NthCallOfAName_IsTheNthRecord', async () => {
    const looping = agent('looping', async (stopsAt: number) => {
      let total = 0;
      for (let item = 0; item < 4; item++) {
        if (item === stopsAt) throw new Error('stop');
        total += await checkpoint('item', () => note(`item ${item}`, item * item));
      }
      return total;
    }).with({ id: fresh() });
    await expect(looping(2)).rejects.toThrow('stop');
    expect(await looping(9)).toBe(14);
    expect(calls).toEqual(['item 0', 'item 1', 'item 2', 'item 3']);
  });

  it('Nested_CallsOfOneName_AreTwoRecords', async () => {
    const nesting = agent('nesting', async (): Promise<number> => await checkpoint('level', async () => 1 + (await checkpoint('level', () => note('inner', 1)))));
    const id = fresh();
    expect([await nesting.with({ id })(), await nesting.with({ id })(), calls]).toEqual([2, 2, ['inner']]);
  });

  it('Rollback_ByAPerson_UndoesNewestFirstAndPlaysAgain', async () => {
    const key = fresh();
    fails = true;
    await expect(trip.with({ id: key })()).rejects.toThrow('no letter');
    const id = await executionOf(key, 'trip');
    await client.rollback(id, 'quote', { scope: 'all' });
    await client.request('POST', `/v1/executions/${id}/trace`, { owner: 'x', operations: [{ do: 'attach' }] });
    fails = false;
    const resumed = until(async () => (await client.execution(id)).status === 'paused').then(() => client.resume(id));
    expect(await trip.with({ id: key })()).toBe('12A 12');
    await resumed;
    expect(calls.filter(Array.isArray)).toEqual([['unbook', '12A'], ['refund', 12, expect.stringMatching(/-undo$/)]]);
    expect(calls.filter((call) => typeof call === 'string')).toEqual(['quote', 'pay', 'book', 'pay', 'book', 'letter']);
    expect((await client.verify(id)).verdict).toBe('identical');
  });

  it('Rollback_AndResume_BetweenTwoRequests_BeginsAnew', async () => {
    const key = fresh();
    let quotes = 0;
    const between = agent('between', async () => {
      const price = await checkpoint('quote', () => note('quote', ++quotes));
      if (quotes === 1) {
        const id = await executionOf(key, 'between');
        await client.rollback(id, 'start', { scope: 'all' });
        await client.resume(id);
      }
      await checkpoint('book', () => note('book', price));
      return price;
    });
    expect(await between.with({ id: key })()).toBe(2);
    expect(calls).toEqual(['quote', 'book', 'quote', 'book']); // What the first run of an execution does next it does before it asks; it is not recorded.
  });

  it('Rollback_WhileItRuns_BeginsAnewEvenIfTheProgramCatchesEverything', async () => {
    const key = fresh();
    let isTakenBack = false;
    const running = agent('running', async () => {
      const seat = await transaction('book', () => note('book', '12A'), { effect: 'idempotent', compensate: unbook });
      try {
        await checkpoint('letter', async () => {
          if (isTakenBack) return note('letter', 1);
          isTakenBack = true;
          const id = await executionOf(key, 'running');
          await until(async () => (await client.execution(id)).steps.length === 2); // Held by then: it takes its time.
          await client.rollback(id, 'book', { scope: 'all' });
          void until(async () => (await client.execution(id)).status === 'paused').then(() => client.resume(id));
          return note('too late', 0);
        });
      } catch {
        calls.push('caught');
      }
      return seat;
    });
    expect(await running.with({ id: key })()).toBe('12A');
    expect(calls).toEqual(['book', 'too late', 'caught', 'letter']); // What was booked lies at the place that it went back to, and stays.
  });

  it.each([[{ done: true as const, output: 9 }, [9, []]], [false, [1, ['pay']]]])('Transaction_OfAProcessThatIsGone_IsLookedUp %j', async (verdict, expected) => {
    const key = fresh();
    const id = await executionOf(key, 'paying');
    const begin = { do: 'begin', name: 'pay', kind: 'transaction', effect: 'verifiable' };
    await client.request('POST', `/v1/executions/${id}/trace`, { owner: 'gone', operations: [begin] });
    await client.request('POST', `/v1/executions/${id}/trace`, { owner: 'witness', operations: [{ do: 'lost', gone: 'gone' }] });
    const keys: string[] = [];
    const verify = ({ idempotencyKey }: { idempotencyKey: string }): typeof verdict => note(`verify ${keys.push(idempotencyKey)}`, verdict) && verdict;
    const paying = agent('paying', async () => await transaction<number>('pay', ({ idempotencyKey }) => note(`pay ${idempotencyKey === keys[0]}`, 1), { verify }));
    expect(await paying.with({ id: key })()).toBe(expected[0]);
    expect(calls).toEqual(verdict ? ['verify 1'] : ['verify 1', 'pay true']);
  });

  it('Transaction_Irreversible_AsksAPersonWhoSaysDone', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const paying = agent('paying', async (breaks: boolean) => await transaction('pay', () => {
      calls.push('pay');
      if (breaks) throw new Error('no answer');
      return 1;
    }), { waitForPersonMs: 0 }).with({ id: fresh() });
    const needed = await line(NeedsPerson, () => paying(true), 'omium approve');
    const review = await client.request<{ id: string; digest: string }>('GET', `/v1/reviews/${needed.review}`);
    await client.decide(review, 'done', { output: 4 });
    expect([await paying(false), calls]).toEqual([4, ['pay']]);
  });

  it('Transaction_CertainlyNotDone_IsAnOrdinaryFailure', async () => {
    const paying = agent('paying', async (breaks: boolean) => await transaction('pay', () => {
      if (breaks) throw new NotDone('refused before it was sent');
      return 1;
    })).with({ id: fresh() });
    await expect(paying(true)).rejects.toThrow('refused before');
    expect(await paying(false)).toBe(1);
  });

  it('TwoProcesses_OneStep_RunsOnce', async () => {
    const id = fresh();
    let [begun, goOn] = [(): void => undefined, (): void => undefined];
    const [isBegun, mayGoOn] = [new Promise<void>((resolve) => (begun = resolve)), new Promise<void>((resolve) => (goOn = resolve))];
    const slow = agent('slow', async () => await checkpoint('slow', async () => {
      calls.push('slow');
      begun();
      await mayGoOn;
      return 1;
    })).with({ id });
    const first = slow();
    await isBegun;
    await until(async () => (await client.execution(await executionOf(id, 'slow'))).steps.length > 0); // Held by then.
    const second = slow();
    goOn();
    expect([await first, await second, calls]).toEqual([1, 1, ['slow']]);
  });

  it('TwoProcesses_OneQuickStep_TheFirstRecordCounts', async () => {
    const key = fresh();
    const slowly: typeof fetch = async (url, init) => { // Another process is faster by the time of one request.
      const record = { do: 'record', name: 'quick', key: '1', output: 'theirs' };
      if (String(init?.body).includes('"do":"record"')) await client.request('POST', `/v1/executions/${await executionOf(key, 'quick')}/trace`, { owner: 'other', operations: [record] });
      return await fetch(url, init);
    };
    const quick = agent('quick', async () => await checkpoint('quick', () => note('mine', 'mine')), { key, fetch: slowly });
    expect([await quick(), calls]).toEqual(['theirs', ['mine']]);
  });

  it('QuickStep_ThatFails_IsRecordedAsFailed', async () => {
    const execution = await startExecution('quick');
    await expect(execution.run(async () => await checkpoint('quick', () => {
      throw new TypeError('no');
    }))).rejects.toThrow('no');
    expect((await client.execution(execution.id)).failure).toMatchObject({ step: 'quick@1', code: 'type_error', message: 'no' });
  });

  it('Failure_CaughtByTheProgram_IsPlayedAgainTheSameWay', async () => {
    const careful = agent('careful', async (stops: boolean) => {
      try {
        await checkpoint('risky', () => {
          calls.push('risky');
          throw new Error('no');
        });
      } catch {
        calls.push('otherwise');
      }
      const value = await checkpoint('after', () => 3);
      if (stops) throw new Error('stop');
      return value;
    }).with({ id: fresh() });
    await expect(careful(true)).rejects.toThrow('stop');
    expect([await careful(false), calls]).toEqual([3, ['risky', 'otherwise', 'otherwise']]);
  });

  it('StartExecution_CompletesAndCarriesItsOutput', async () => {
    const execution = await startExecution('plain', { key: fresh(), input: { customer: 'ada' } });
    await execution.run(async () => await checkpoint('one', () => ({ n: 1 })));
    const found = await client.execution(execution.id);
    expect([found.status, found.input, found.output]).toEqual(['succeeded', { customer: 'ada' }, { n: 1 }]);
  });

  it('CaptureFailure_RecordsWhatFailed', async () => {
    const execution = await startExecution('capturing');
    class ScoreMissing extends Error {
      override readonly name = 'ScoreMissing';
    }
    await expect(execution.run(async () => await captureFailure('scoring', () => {
      throw new ScoreMissing('score');
    }))).rejects.toThrow(ScoreMissing);
    const failed = await client.execution(execution.id);
    expect([failed.status, failed.failure?.step, failed.failure?.code]).toEqual(['failed', 'scoring@1', 'score_missing']);
  });

  it('Lease_OfAStepThatRunsLong_IsRenewed', async () => {
    const id = fresh();
    const long = agent('long', async () => await checkpoint('long', async () => {
      const started = await executionOf(id, 'long');
      const renewals = async (): Promise<number> => {
        let found = 0;
        for await (const record of client.events(started)) found += record.events.filter((event) => (event as { type: string }).type === 'traced.leases_renewed').length;
        return found;
      };
      await until(async () => (await renewals()) >= 2);
      return note('done', 1);
    }), { id, leaseMs: 600 });
    expect([await long(), calls]).toEqual([1, ['done']]);
  });
});
