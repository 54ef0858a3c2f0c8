/** Calls the handler through Restate's ingress and waits for its answer. Told and answering as omium-flow.mjs. */
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { load } from './load.mjs';

const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const url = `${process.env.RESTATE_INGRESS}/flow/run`;

const call = (number) => new Promise((resolve, reject) => {
  const sent = request(url, { method: 'POST', agent, headers: { 'Content-Type': 'application/json' } }, (answer) => {
    const pieces = [];
    answer.on('data', (piece) => pieces.push(piece)).on('end', () => {
      const text = Buffer.concat(pieces).toString();
      if (answer.statusCode === 200 && JSON.parse(text) === number + 15) resolve();
      else reject(new Error(`Restate answered ${answer.statusCode}: ${text}`));
    });
  });
  sent.on('error', reject);
  sent.end(JSON.stringify(number));
});

for await (const line of createInterface(process.stdin)) {
  const { runs, in_flight: inFlight } = JSON.parse(line);
  console.log(JSON.stringify(await load(call, runs, inFlight)));
}
