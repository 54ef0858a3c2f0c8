/** Six steps that may be killed at any moment; each step that runs writes a line to EFFECTS, with the key when it is a transaction. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { agent, checkpoint, transaction } from '../../dist/index.js';

const effect = (line) => appendFileSync(process.env.EFFECTS, `${line}\n`);

const flow = agent('flow', async () => {
  console.log('running');
  let total = 0;
  for (let number = 0; number < 3; number++) {
    const thought = await checkpoint('think', async () => {
      effect(`begin think ${number}`);
      await sleep(4);
      effect(`end think ${number}`);
      return number * 10;
    });
    effect(`after think ${number}`);
    total += await transaction('act', async ({ idempotencyKey }) => {
      effect(`act ${number} ${idempotencyKey}`);
      await sleep(4);
      return thought + 1;
    }, { effect: 'idempotent' });
  }
  return total;
}, { leaseMs: 5_000 });

console.log(await flow());
