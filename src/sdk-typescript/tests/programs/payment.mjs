/** The payment of S26; dies where DIE_AFTER says, and counts what it does in the file EFFECTS. */
import { appendFileSync } from 'node:fs';
import { agent, checkpoint, transaction } from '../../dist/index.js';

const effect = (name) => appendFileSync(process.env.EFFECTS, `${name}\n`);
const dieAfter = (name) => process.env.DIE_AFTER === name && process.kill(process.pid, 'SIGKILL');

const paymentProcessor = agent('payment_processor', async () => {
  const payment = await checkpoint('payment_initiated', () => {
    effect('initiated');
    return { amount: 12, of: ['ada', 1] };
  });
  dieAfter('payment_initiated');
  const receipt = await transaction('payment_committed', () => {
    effect('committed');
    return payment.amount * 2;
  });
  dieAfter('payment_committed');
  return await checkpoint('letter', () => {
    effect('letter');
    return `${receipt} ${payment.of[0]}`;
  });
});

console.log(await paymentProcessor());
