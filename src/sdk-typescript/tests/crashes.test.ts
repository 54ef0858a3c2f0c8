/** kill -9 at random moments: what is recorded is not run again, and every effect carries one key. */
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Client } from '../src/index.js';
import { draws, fresh, linesOf, Program, until, useServer } from './support.js';

const KILLS = Number(process.env.OMIUM_SDK_KILLS ?? 3);
const SEED = Number(process.env.OMIUM_SDK_SEED ?? 2607);
const LIMIT_MS = 60_000 + KILLS * 10_000;

describe('kill -9 of a program', () => {
  const place = useServer();

  it('Kill_AtRandomMoments_FinishedStepsAreNotRunAgainAndEffectsHaveOneKey', { timeout: LIMIT_MS }, async () => {
    const draw = draws(SEED);
    for (let number = 0; number < KILLS; number++) await play(draw, fresh(`kill${number}`), `kill ${number} of seed ${SEED}`);
  });

  async function play(draw: () => number, key: string, what: string): Promise<void> {
    const client = new Client();
    const environment = { OMIUM_EXECUTION_ID: key, EFFECTS: join(place.folder, key) };
    const { id } = await client.request<{ id: string }>('POST', '/v1/executions', { mode: 'traced', name: 'flow', start_key: key });
    let [recorded, before]: [string[], string[]] = [[], []];
    for (let time = 0; time < 2; time++) {
      const program = new Program('flow.mjs', environment);
      await program.says('running'); // From here on, at any moment.
      await program.kill(draw() * 150);
      recorded = (await client.execution(id)).steps.filter((step) => step.status === 'committed').map((step) => step.step);
      before = linesOf(environment.EFFECTS);
      for (const step of recorded.filter((name) => name.startsWith('think@'))) expect(before, what).toContain(`end think ${numberOf(step)}`); // Nothing is recorded that did not run to its end.
    }
    const last = await new Program('flow.mjs', environment).ended;
    expect([last.code, last.output.trim().split('\n').at(-1)], `${what}: ${last.errors}`).toEqual([0, '33']);
    expect([(await client.execution(id)).status, (await client.verify(id)).verdict], what).toEqual(['succeeded', 'identical']);
    const lines = linesOf(environment.EFFECTS);
    const after = lines.slice(before.length);
    for (const step of recorded) {
      const again = after.filter((line) => line.startsWith(`${step.startsWith('think@') ? 'begin think' : 'act'} ${numberOf(step)}`));
      expect(again, `${what}: ${step} was recorded and ran again`).toEqual([]);
    }
    for (let number = 0; number < 3; number++) {
      expect(new Set(lines.filter((line) => line.startsWith(`act ${number} `))).size, `${what}: keys of act ${number}`).toBe(1);
      const first = lines.indexOf(`after think ${number}`);
      expect(lines.slice(first).includes(`begin think ${number}`), `${what}: think ${number} had come back and ran again`).toBe(false);
    }
  }
});

describe('kill -9 of a worker', () => {
  const place = useServer();
  const programs: Program[] = [];
  afterEach(async () => {
    await Promise.all(programs.splice(0).map((program) => program.kill(0)));
  });

  it('Kill_AtRandomMoments_EveryTaskIsDoneAndHasOneKey', { timeout: LIMIT_MS * 2 }, async () => {
    const client = new Client();
    const [draw, queue, name] = [draws(SEED), fresh('queue').replaceAll('-', '_'), fresh('workflow')];
    const environment = { QUEUE: queue, EFFECTS: join(place.folder, 'effects') };
    await client.saveWorkflow(workflow(name, queue));
    const start = (): Program => {
      const program = new Program('tasks.mjs', environment);
      programs.push(program);
      return program;
    };
    const ids: string[] = [];
    for (let number = 0; number < KILLS; number++) {
      for (let more = 0; more < 8; more++) ids.push((await client.start(name, { n: ids.length })).id);
      const program = start();
      await program.says('working');
      await program.kill(draw() * 80);
    }
    const last = start();
    for (const id of ids) await until(async () => (await client.execution(id)).status === 'succeeded', LIMIT_MS);
    last.process.kill('SIGTERM');
    const ended = await last.ended;
    expect([ended.code, ended.output.includes('stopped')], ended.errors).toEqual([0, true]);

    const lines = linesOf(environment.EFFECTS);
    for (const [number, id] of ids.entries()) {
      expect((await client.execution(id)).output).toEqual({ work: { doubled: number * 2 } });
      const begun = lines.filter((line) => line.startsWith(`begin ${number} `));
      expect(new Set(begun.map((line) => line.split(' ')[2])).size, `keys of task ${number}`).toBe(1);
    }
    const ran = lines.filter((line) => line.startsWith('begin ')).length;
    expect(ran).toBeGreaterThanOrEqual(ids.length);
    expect(ran).toBeLessThanOrEqual(ids.length + KILLS * 2); // A kill breaks off two tasks at most: those under way, which alone run again.
  });
});

const numberOf = (step: string): number => Number(step.split('@')[1]) - 1;

function workflow(name: string, queue: string): object {
  return {
    omium: 'v0', name, input: { schema: { type: 'object', properties: { n: { type: 'integer' } } } },
    tools: { undo: { type: 'function', function: 'noop', effect: { kind: 'idempotent' } } },
    steps: [{ id: 'work', type: 'worker', worker: queue, input: { n: '${{ input.n }}' }, effect: { kind: 'idempotent', compensate: 'undo' } }],
  };
}
