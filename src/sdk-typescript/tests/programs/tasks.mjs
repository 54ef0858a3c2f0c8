/** A worker that writes the key of each task it begins and ends to EFFECTS; with HANGS it never ends one. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from '../../dist/index.js';

const effect = (line) => appendFileSync(process.env.EFFECTS, `${line}\n`);
const worker = new Worker({ concurrency: 2, pollWaitMs: 500 });

worker.task(process.env.QUEUE, async ({ n }, { idempotencyKey }) => {
  effect(`begin ${n} ${idempotencyKey}`);
  await sleep(process.env.HANGS ? 3_600_000 : 5);
  effect(`end ${n} ${idempotencyKey}`);
  return { doubled: n * 2 };
});

console.log('working');
await worker.run();
console.log('stopped');
