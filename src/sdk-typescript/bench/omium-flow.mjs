/** Five steps journaled by the SDK; this process starts them and does them. Told on standard input: {"runs", "in_flight"} a line; answers a line each. */
import { createInterface } from 'node:readline';
import { agent, checkpoint } from '../dist/index.js';
import { load } from './load.mjs';

const flow = agent('flow', async (number) => {
  let total = number;
  for (let step = 1; step <= 5; step++) total = await checkpoint(`step${step}`, () => total + step);
  return total;
});

for await (const line of createInterface(process.stdin)) {
  const { runs, in_flight: inFlight } = JSON.parse(line);
  console.log(JSON.stringify(await load(async (number) => {
    if ((await flow(number)) !== number + 15) throw new Error('wrong result');
  }, runs, inFlight)));
}
