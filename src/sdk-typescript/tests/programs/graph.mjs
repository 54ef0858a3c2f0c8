/**
 * A LangGraph.js graph over Omium; each node writes what it does to EFFECTS. DIE_IN names a node that kills the process within it, after its transaction; DIE_BEFORE a
 * step of the graph whose checkpoint is never written, though what its tasks wrote is.
 */
import { appendFileSync } from 'node:fs';
import { Annotation, Command, END, interrupt, START, StateGraph } from '@langchain/langgraph';
import { checkpoint, transaction } from '../../dist/index.js';
import { OmiumSaver } from '../../dist/adapters/langgraph.js';

const effect = (line) => appendFileSync(process.env.EFFECTS, `${line}\n`);
const dieIn = (node) => process.env.DIE_IN === node && process.kill(process.pid, 'SIGKILL');
const State = Annotation.Root({ log: Annotation({ reducer: (known, more) => known.concat(more), default: () => [] }), answer: Annotation() });

class DyingSaver extends OmiumSaver {
  #writes = [];

  putWrites(...given) {
    const writing = super.putWrites(...given);
    this.#writes.push(writing);
    return writing;
  }

  async put(config, known, metadata) {
    if (String(metadata.step) === process.env.DIE_BEFORE) {
      await Promise.all(this.#writes);
      process.kill(process.pid, 'SIGKILL');
    }
    return await super.put(config, known, metadata);
  }
}

const saver = new DyingSaver();
const graph = new StateGraph(State)
  .addNode('plan', () => {
    effect('plan');
    return { log: ['planned'] };
  })
  .addNode('book', saver.node(async () => {
    const price = await checkpoint('quote', () => (effect('quote'), 12));
    const seat = await transaction('book', ({ idempotencyKey }) => (effect(`book ${idempotencyKey}`), '12A'), { effect: 'idempotent' });
    dieIn('book');
    return { log: [`${seat} for ${price}`] };
  }))
  .addNode('ask', () => ({ answer: interrupt({ question: 'send it?' }) }))
  .addNode('send', () => {
    effect('send');
    return { log: ['sent'] };
  })
  .addEdge(START, 'plan').addEdge('plan', 'book').addEdge('book', 'ask').addEdge('ask', 'send').addEdge('send', END)
  .compile({ checkpointer: saver });

const config = { configurable: { thread_id: process.env.THREAD } };
const { createdAt } = await graph.getState(config); // Not `next`: that is empty too when all tasks have written and their checkpoint is missing.
const input = process.env.RESUME ? new Command({ resume: process.env.RESUME }) : createdAt === undefined ? {} : null;
console.log(JSON.stringify(await graph.invoke(input, config)));
