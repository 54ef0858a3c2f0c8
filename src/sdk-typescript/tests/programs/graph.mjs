/** A LangGraph.js graph over Omium; each node writes what it does to EFFECTS. DIE_IN names a node that kills the process within it, after its transaction. */
import { appendFileSync } from 'node:fs';
import { Annotation, Command, END, interrupt, START, StateGraph } from '@langchain/langgraph';
import { checkpoint, transaction } from '../../dist/index.js';
import { OmiumSaver } from '../../dist/adapters/langgraph.js';

const effect = (line) => appendFileSync(process.env.EFFECTS, `${line}\n`);
const dieIn = (node) => process.env.DIE_IN === node && process.kill(process.pid, 'SIGKILL');
const State = Annotation.Root({ log: Annotation({ reducer: (known, more) => known.concat(more), default: () => [] }), answer: Annotation() });

const saver = new OmiumSaver();
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
const { next } = await graph.getState(config);
const input = process.env.RESUME ? new Command({ resume: process.env.RESUME }) : next.length > 0 ? null : {};
console.log(JSON.stringify(await graph.invoke(input, config)));
