/**
 * The wire as it is frozen in tests/golden/wire, a line for each request and its answer, in canonical JSON: what this SDK sends and the server answers is what stands
 * there. The suites of Python and C# read the same lines. OMIUM_GOLDEN=write writes them; read the difference.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkpoint, Client, Consensus, Failed, startExecution, transaction, Worker, type Json, type OmiumError } from '../src/index.js';
import { Transport } from '../src/transport.js';
import { canonical } from '../src/values.js';
import { fresh, useServer } from './support.js';

interface Exchange {
  method: string;
  path: string;
  request?: Json;
  status: number;
  answer?: Json;
}

const OWNER = 'wire/1/00000000';
const EXECUTION = `exe_${'0'.repeat(26)}`;
const SCORE = { type: 'object', properties: { score: { type: 'integer' } }, required: ['score'] };

class NoLetter extends Error {
  override readonly name = 'NoLetter';
}

/** What is another in every run is the same in every line. */
class Recorder {
  readonly lines: Exchange[] = [];
  readonly #names: [string | RegExp, string][];

  constructor(names: [string | RegExp, string][]) {
    this.#names = [
      ...names, [/exe_[0-9a-hjkmnp-tv-z]{26}/g, EXECUTION], [/"[^"/]+\/\d+\/[0-9a-f]{8}"/g, JSON.stringify(OWNER)], [/\d{4}-\d\d-\d\dT[\d:.]+\+00:00/g, '2026-01-01T00:00:00+00:00'], [/key_[0-9a-z]+/g, 'key_0'],
      [/"lease_ms":\d+/g, '"lease_ms":30000'], [/"idempotency_key":"[^"]+"/g, '"idempotency_key":"key-1"'],
    ];
  }

  readonly fetch: typeof fetch = async (url, init) => {
    const answer = await fetch(url, init);
    const text = await answer.text();
    const { pathname } = new URL(String(url));
    const line = { method: init!.method!, path: pathname, request: init!.body ? (JSON.parse(init!.body as string) as Json) : undefined, status: answer.status, answer: text ? (JSON.parse(text) as Json) : undefined };
    this.lines.push(JSON.parse(this.#names.reduce((told, [what, instead]) => told.replaceAll(what, instead), JSON.stringify(line))) as Exchange);
    return new Response(text || null, { status: answer.status, headers: answer.headers });
  };
}

describe('wire', () => {
  useServer();

  it('TracedExecution_AskedAndAnswered_AsItIsFrozen', async () => {
    const key = fresh('wire');
    const recorder = new Recorder([[key, 'wire']]);
    await new Client().request('POST', '/v1/executions', { mode: 'traced', name: 'wire', start_key: key }); // So that it is gone on with.
    const execution = await startExecution('wire', { key, fetch: recorder.fetch });
    await execution.run(async () => {
      const consensus = new Consensus();
      await checkpoint('quote', () => ({ usd: 12 }));
      await transaction('pay', () => ({ receipt: 'r-1' }), { effect: 'idempotent', compensate: 'refund' });
      await consensus.broadcast('scorer', { output: { score: 750 }, schema: SCORE, constraints: { min: 300, max: 850 } });
      await consensus.receive('scorer', { schema: SCORE });
      await checkpoint('risky', () => {
        throw new NoLetter('no letter');
      }).catch(() => undefined);
      return { done: true };
    });
    frozen('traced', recorder.lines as unknown as Json[]);
  });

  it('Worker_AskedAndAnswered_AsItIsFrozen', async () => {
    const [queue, name] = [fresh('queue').replaceAll('-', '_'), fresh('workflow')];
    const client = new Client();
    await client.saveWorkflow({ omium: 'v0', name, input: { schema: { type: 'object' } }, steps: [{ id: 'work', type: 'worker', worker: queue, input: { n: '${{ input.n }}' } }] });
    const recorder = new Recorder([[queue, 'wire_queue'], [name, 'wire-workflow']]);
    const worker = new Worker({ name: 'wire', fetch: recorder.fetch }).task(queue, ({ n }: { n: number }) => {
      if (n > 21) throw new Failed(`no doubling of ${n}`, { failureClass: 'policy_violation', permanent: true });
      return { doubled: n * 2 };
    });
    for (const n of [21, 22]) {
      const { id } = await client.start(name, { n });
      expect(await worker.runOnce(10_000)).toBe(true);
      await client.wait(id);
    }
    expect(await worker.runOnce(0)).toBe(false);
    frozen('workers', recorder.lines as unknown as Json[]);
  });

  it('Errors_OfTheServer_AreTheLinesThatAreFrozen', async () => {
    const problem = (status: number, code: string, detail: string, errors?: Json): Json => ({ type: `https://omium.dev/errors/${code}`, title: 'Refused.', status, code, detail, ...(errors === undefined ? {} : { errors }) });
    const refusals: [number, Json | undefined][] = [
      [401, problem(401, 'unauthenticated', 'No key.')], [402, problem(402, 'CREDITS_EXHAUSTED', 'The balance is 0.')], [403, problem(403, 'forbidden', 'The key may not.')],
      [403, problem(403, 'edit_forbidden', 'The policy forbids to edit it.')], [404, problem(404, 'execution_not_found', `There is no execution ${EXECUTION}.`)],
      [409, problem(409, 'replay_mismatch', "step 'ask' (call 1) was recorded with another input.")], [409, problem(409, 'task_fenced', 'The lease is over.')],
      [422, problem(422, 'validation_failed', 'Mend each entry of `errors`.', [{ pointer: '/steps/0', message: 'There is no such tool.' }, { pointer: '', message: 'No step ends it.' }])], [500, undefined],
    ];
    const lines: Json[] = [];
    for (const [status, answer] of refusals) {
      const fetchOf = (async () => new Response(answer === undefined ? '' : JSON.stringify(answer), { status })) as typeof fetch;
      const error = (await new Transport({ url: 'http://omium.test', apiKey: 'k', fetch: fetchOf }).request('GET', '/v1/me').catch((thrown: unknown) => thrown)) as OmiumError;
      lines.push({ status, ...(answer === undefined ? {} : { answer }), error: { name: error.name, code: error.code, message: error.message } });
    }
    frozen('errors', lines);
  });
});

/** The lines are those of the file, byte by byte. */
function frozen(name: string, lines: Json[]): void {
  const path = fileURLToPath(new URL(`../../../tests/golden/wire/${name}.jsonl`, import.meta.url));
  const told = lines.map((line) => `${canonical(JSON.parse(JSON.stringify(line)) as Json)}\n`).join('');
  if (process.env.OMIUM_GOLDEN === 'write') {
    mkdirSync(new URL('../../../tests/golden/wire/', import.meta.url), { recursive: true });
    writeFileSync(path, told);
  }
  expect(told).toBe(existsSync(path) ? readFileSync(path, 'utf8') : '');
}
