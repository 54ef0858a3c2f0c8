/**
 * Five durable steps from a TypeScript process, Omium against Restate: on one machine, in one run, in turns, each with what it has promised on the disk.
 * Flags: --rounds N (3), --runs N (one at a time; 300), --many N (at 100 in flight; 3,000), --data DIR (choose the disk), --json.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort, startOmium, startRestate, stop } from './servers.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const IN_FLIGHT = 100;
const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, runs: { type: 'string', default: '300' }, many: { type: 'string', default: '3000' }, data: { type: 'string' }, json: { type: 'boolean', default: false } } });

const folder = mkdtempSync(join(flags.data ?? tmpdir(), 'omium-bench-'));
const children = [];
const results = { omium: { one: [], many: [] }, restate: { one: [], many: [] } };
try {
  const port = await freePort();
  children.push(spawn(process.execPath, [join(HERE, 'restate-handler.mjs')], { env: { ...process.env, PORT: String(port), QUIET: '1' }, stdio: ['ignore', 'ignore', 'inherit'] }));
  const restate = await startRestate(join(folder, 'restate'), port);
  children.push(restate.child);
  const omium = await startOmium(join(folder, 'omium'));
  children.push(omium.child);
  const programs = { omium: program('omium-flow.mjs', omium.environment), restate: program('restate-flow.mjs', restate.environment) };
  for (const name of ['omium', 'restate']) {
    await programs[name]({ runs: Math.min(50, Number(flags.runs)), in_flight: 1 });
    await programs[name]({ runs: Math.min(1_000, Number(flags.many)), in_flight: IN_FLIGHT }); // Warm, both of them.
  }
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const name of round % 2 === 0 ? ['omium', 'restate'] : ['restate', 'omium']) {
      results[name].one.push(await programs[name]({ runs: Number(flags.runs), in_flight: 1 }));
      results[name].many.push(await programs[name]({ runs: Number(flags.many), in_flight: IN_FLIGHT }));
      if (!flags.json) tell(round, name);
    }
  }
} finally {
  for (const child of children.reverse()) await stop(child);
  rmSync(folder, { recursive: true, force: true });
}
summary();

/** A program that runs loads, one after another. */
function program(file, environment) {
  const child = spawn(process.execPath, [join(HERE, file)], { env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return async (asked) => {
    child.stdin.write(`${JSON.stringify(asked)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${file} ended before it answered`);
    return JSON.parse(value);
  };
}

function tell(round, name) {
  const [one, many] = [results[name].one.at(-1), results[name].many.at(-1)];
  console.log(`round ${round + 1}  ${name.padEnd(8)} one at a time: p50 ${one.p50_ms.toFixed(1)} ms, p99 ${one.p99_ms.toFixed(1)} ms   ${IN_FLIGHT} in flight: ${many.runs_per_s.toFixed(0)} runs/s, p50 ${many.p50_ms.toFixed(0)} ms`);
}

function summary() {
  const middle = (found, of) => found.map((one) => one[of]).sort((one, other) => one - other)[Math.floor(found.length / 2)];
  const told = Object.fromEntries(Object.entries(results).map(([name, { one, many }]) => [name, { p50_one_ms: middle(one, 'p50_ms'), p99_one_ms: middle(one, 'p99_ms'), runs_per_s_at_100: middle(many, 'runs_per_s') }]));
  const report = { machine: { cpus: cpus().length, model: cpus()[0]?.model, node: process.version }, rounds: Number(flags.rounds), medians: told };
  if (flags.json) return console.log(JSON.stringify({ ...report, results }));
  for (const [name, found] of Object.entries(told)) console.log(`median   ${name.padEnd(8)} one at a time: p50 ${found.p50_one_ms.toFixed(1)} ms   ${IN_FLIGHT} in flight: ${found.runs_per_s_at_100.toFixed(0)} runs/s`);
  return undefined;
}
