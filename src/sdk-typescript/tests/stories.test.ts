/** S26, in the words of the story: code that stays where it is. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Agent, agent, checkpoint, Checkpoint, Client, Consensus, ConstraintViolated, Handoff, NeedsPerson, SchemaMismatch, transaction, Transaction } from '../src/index.js';
import { fresh, line, linesOf, Program, useServer } from './support.js';

const consensus = new Consensus();
const KYCData = { type: 'object', properties: { name: { type: 'string' }, verified: { type: 'boolean' } }, required: ['name', 'verified'] };
const CreditScore = z.object({ score: z.number().int() });

describe('S26', () => {
  const place = useServer();

  it('S26_FinishedBlocks_ReturnTheirRecordedValues', async () => {
    const log: string[] = [];
    const paymentProcessor = agent('payment_processor', async (fails: boolean) => {
      const payment = await new Checkpoint('payment_initiated').run(() => {
        log.push('initiated');
        return { amount: 12, of: ['ada', 1] as const };
      });
      const receipt = await new Transaction<number>('payment_committed').run(() => {
        log.push('committed');
        return payment.amount * 2;
      });
      if (fails) throw new Error('the process falls over');
      return [receipt, payment.of[0]];
    }).with({ id: fresh() });
    await expect(paymentProcessor(true)).rejects.toThrow('falls over');
    expect(await paymentProcessor(false)).toEqual([24, 'ada']);
    expect(log).toEqual(['initiated', 'committed']);
    expect(await paymentProcessor(false)).toEqual([24, 'ada']); // Ended: its output answers.
    expect(log).toEqual(['initiated', 'committed']);
  });

  it('S26_KilledAndStartedAgain_GoesOnBehindWhatIsRecorded', async () => {
    const environment = { OMIUM_EXECUTION_ID: fresh(), EFFECTS: join(place.folder, 'effects') };
    const killed = await new Program('payment.mjs', { ...environment, DIE_AFTER: 'payment_committed' }).ended;
    expect([killed.signal, killed.errors]).toEqual(['SIGKILL', '']);
    const again = await new Program('payment.mjs', environment).ended;
    expect([again.code, again.output.trim()], again.errors).toEqual([0, '24 ada']);
    expect(linesOf(environment.EFFECTS)).toEqual(['initiated', 'committed', 'letter']);
  });

  it('S26_Consensus_DeliversWhatWasBroadcast', async () => {
    const scoring = agent('scoring', async () => {
      await consensus.broadcast('kyc_verification_agent', { output: { name: 'ada', verified: true }, schema: KYCData });
      const kyc = await consensus.receive<{ name: string; verified: boolean }>('kyc_verification_agent', { schema: KYCData });
      await consensus.broadcast('credit_score_agent', { output: { score: 750 }, schema: CreditScore, constraints: { min: 300, max: 850 } });
      const { score } = await consensus.receive('credit_score_agent', { schema: CreditScore });
      return [kyc.name, kyc.verified, score];
    });
    expect(await scoring()).toEqual(['ada', true, 750]);
  });

  it.each([
    [{ score: 900 }, CreditScore, ConstraintViolated], [{ score: 20 }, CreditScore, ConstraintViolated], [{ points: 5 }, CreditScore, SchemaMismatch], ['high', undefined, ConstraintViolated],
  ] as const)('S26_Consensus_RefusesWhatBreaksTheConstraints %j', async (output, schema, refusal) => {
    const scoring = agent('scoring', async () => await consensus.broadcast<unknown>('credit_score_agent', { output, schema, constraints: { min: 300, max: 850 } }));
    await line(refusal as never, scoring);
  });

  it('S26_Consensus_TheReceiversSchemaIsHeldToo', async () => {
    const scoring = agent('scoring', async () => {
      await consensus.broadcast('kyc_verification_agent', { output: { name: 'ada' } });
      return await consensus.receive('kyc_verification_agent', { schema: KYCData });
    });
    await line(SchemaMismatch, scoring, 'kyc_verification_agent');
  });

  it('S26_Receive_WaitsForTheProducer', async () => {
    const two = agent('two', async () => {
      const received = consensus.receive<{ name: string }>('kyc_verification_agent', { schema: KYCData });
      await checkpoint('something_else', () => 1);
      await consensus.broadcast('kyc_verification_agent', { output: { name: 'ada', verified: true }, schema: KYCData });
      return (await received).name;
    });
    expect(await two()).toBe('ada');
  });

  it('S26_Handoff_ViewsDiffer_HaltsForAPersonWithBoth', async () => {
    const handoff = new Handoff<object>('extractor', { to: 'loader' });
    const loading = agent('loading', async () => {
      await handoff.send({ rows: '...' }, { claims: { records: 100 } });
      await handoff.receive({ seen: { records: 47 } });
    }, { waitForPersonMs: 0 });
    const needed = await line(NeedsPerson, loading, 'omium approve');
    const reviews = [];
    for await (const review of new Client().reviews()) reviews.push(review);
    const disputed = reviews.find((review) => review.id === needed.review)!;
    expect(disputed.kind).toBe('failure');
    expect(JSON.stringify(disputed)).toMatch(/100.*47|47.*100/);
  });

  it('S26_AgentClass_RunsLikeAFunction', async () => {
    let scored = 0;
    class Scoring extends Agent<[string], number> {
      async run(customer: string): Promise<number> {
        return await this.checkpoint('scored', () => {
          scored++;
          return customer.length;
        });
      }
    }
    const options = { id: fresh() };
    expect([await new Scoring(undefined, options).start('ada'), await new Scoring(undefined, options).start('ada'), scored]).toEqual([3, 3, 1]);
  });

  it('S26_Subagent_TakesPartInTheExecutionOfItsCaller', async () => {
    const inner = agent('inner', async () => await checkpoint('inner_step', () => 2));
    const outer = agent('outer', async () => (await transaction('outer_step', () => 1, { effect: 'idempotent' })) + (await inner()));
    const id = fresh();
    expect(await outer.with({ id })()).toBe(3);
    const { steps } = await new Client().request<{ steps: { step: string; actor: string }[] }>('GET', `/v1/executions/${(await new Client().request<{ id: string }>('POST', '/v1/executions', { mode: 'traced', name: 'outer', start_key: id })).id}`);
    expect(steps.map((step) => [step.step, step.actor])).toEqual([['outer_step@1', 'outer'], ['inner_step@1', 'inner']]);
  });
});
