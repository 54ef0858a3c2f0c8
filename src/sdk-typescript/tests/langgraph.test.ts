/** S27: LangGraph.js with the real library. */
import { join } from 'node:path';
import { Annotation, Command, END, interrupt, MemorySaver, Send, START, StateGraph, type BaseCheckpointSaver } from '@langchain/langgraph';
import { describe, expect, it } from 'vitest';
import { OmiumSaver } from '../src/adapters/langgraph.js';
import { checkpoint, Client, OmiumError, transaction } from '../src/index.js';
import { draws, fresh, line, linesOf, Program, until, useServer } from './support.js';

const State = Annotation.Root({
  log: Annotation<string[]>({ reducer: (known, more) => known.concat(more), default: () => [] }),
  answer: Annotation<string>(),
});

/** Two at a time, then a question, then the end. */
const graphOf = (checkpointer: BaseCheckpointSaver) => new StateGraph(State)
  .addNode('split', () => ({ log: ['split'] }))
  .addNode('left', () => ({ log: ['left'] }))
  .addNode('right', () => ({ log: ['right'] }))
  .addNode('ask', (state) => ({ answer: interrupt<string, string>(`after ${state.log.length}`) }))
  .addEdge(START, 'split').addEdge('split', 'left').addEdge('split', 'right').addEdge(['left', 'right'], 'ask').addEdge('ask', END)
  .compile({ checkpointer });

describe('S27', () => {
  const place = useServer();
  const threadOf = (thread: string) => ({ configurable: { thread_id: thread } });

  it('S27_Interrupted_ResumedByAnotherSaver', async () => {
    const config = threadOf(fresh('thread'));
    const asked = await graphOf(new OmiumSaver()).invoke({ log: ['start'] }, config);
    expect((asked as unknown as { __interrupt__: { value: string }[] }).__interrupt__[0]!.value).toBe('after 4');
    const resumed = await graphOf(new OmiumSaver()).invoke(new Command({ resume: 'yes' }), config);
    expect(resumed).toEqual({ log: ['start', 'split', 'left', 'right'], answer: 'yes' });
  });

  it('S27_KilledInANode_ResumedWithEachEffectOnce', async () => {
    const environment = { THREAD: fresh('thread'), EFFECTS: join(place.folder, 'effects') };
    const killed = await new Program('graph.mjs', { ...environment, DIE_IN: 'book' }).ended;
    expect([killed.signal, killed.errors]).toEqual(['SIGKILL', '']);
    const interrupted = await new Program('graph.mjs', environment).ended;
    expect([interrupted.code, interrupted.output.includes('send it?')], interrupted.errors).toEqual([0, true]);
    const done = await new Program('graph.mjs', { ...environment, RESUME: 'yes' }).ended;
    expect(JSON.parse(done.output)).toEqual({ log: ['planned', '12A for 12', 'sent'], answer: 'yes' });
    expect(linesOf(environment.EFFECTS)).toEqual(['plan', 'quote', expect.stringMatching(/^book .+/), 'send']);
  });

  it('S27_KilledBetweenATasksWritesAndTheirCheckpoint_GoesOnWithWhatWasWritten', async () => {
    const environment = { THREAD: fresh('thread'), EFFECTS: join(place.folder, 'effects') };
    const killed = await new Program('graph.mjs', { ...environment, DIE_BEFORE: '2' }).ended;
    expect([killed.signal, killed.errors]).toEqual(['SIGKILL', '']);
    await new Program('graph.mjs', environment).ended;
    const done = await new Program('graph.mjs', { ...environment, RESUME: 'yes' }).ended;
    expect(JSON.parse(done.output)).toEqual({ log: ['planned', '12A for 12', 'sent'], answer: 'yes' });
    expect(linesOf(environment.EFFECTS)).toEqual(['plan', 'quote', expect.stringMatching(/^book .+/), 'send']);
  });

  it('S27_KilledAtRandomMoments_EachEffectHasOneKey', { timeout: 180_000 }, async () => {
    const draw = draws(27);
    for (let number = 0; number < Number(process.env.OMIUM_SDK_KILLS ?? 3); number++) {
      const environment = { THREAD: fresh('thread'), EFFECTS: join(place.folder, `effects${number}`) };
      for (let time = 0; time < 2; time++) {
        const program = new Program('graph.mjs', environment);
        await until(() => linesOf(environment.EFFECTS).length > 0 || program.process.exitCode !== null);
        await program.kill(draw() * 60);
      }
      await new Program('graph.mjs', environment).ended; // To the question, wherever it was.
      const done = await new Program('graph.mjs', { ...environment, RESUME: 'yes' }).ended;
      expect(done.code, done.errors).toBe(0);
      expect(JSON.parse(done.output)).toEqual({ log: ['planned', '12A for 12', 'sent'], answer: 'yes' });
      expect(new Set(linesOf(environment.EFFECTS).filter((text) => text.startsWith('book '))).size).toBe(1);
    }
  });

  it('S27_TimeTravel_ToAnEarlierCheckpoint_GoesOnFromThere', async () => {
    const [graph, config] = [graphOf(new OmiumSaver()), threadOf(fresh('thread'))];
    await graph.invoke({ log: ['start'] }, config);
    await graph.invoke(new Command({ resume: 'yes' }), config);
    const history = [];
    for await (const state of graph.getStateHistory(config)) history.push(state);
    expect(history.map((state) => state.next)).toEqual([[], ['ask'], ['left', 'right'], ['split'], ['__start__']]);
    const earlier = history.find((state) => state.next.includes('left'))!;
    const forked = await graph.updateState(earlier.config, { log: ['changed'] });
    await graph.invoke(null, forked);
    const now = await graph.getState(config);
    expect([now.values.log, now.next]).toEqual([['start', 'split', 'changed', 'left', 'right'], ['ask']]);
    expect((await graph.getState(history[0]!.config)).values.answer).toBe('yes'); // What was is still there.
  });

  it('S27_TimeTravel_ThroughOmium_WhatIsRolledBackIsGoneFromTheThread', async () => {
    const [saver, client, thread] = [new OmiumSaver(), new Client(), fresh('thread')];
    const [graph, config] = [graphOf(saver), threadOf(thread)];
    await graph.invoke({ log: ['start'] }, config);
    const before = await graph.getState(config);
    await graph.invoke(new Command({ resume: 'yes' }), config);
    const execution = await saver.execution(thread);
    const steps = (await client.execution(execution)).steps;
    const kept = steps.find((step) => step.step.startsWith('checkpoint@') && step.step.endsWith(before.config.configurable!.checkpoint_id as string))!;
    await client.rollback(execution, kept.step, { scope: 'all' });
    await until(async () => (await client.execution(execution)).status === 'paused');
    await client.resume(execution);
    const now = await graph.getState(config);
    expect([now.values, now.next]).toEqual([before.values, ['ask']]);
    expect(await graph.invoke(new Command({ resume: 'no' }), config)).toMatchObject({ answer: 'no' });
    expect((await client.verify(execution)).verdict).toBe('identical');
  });

  it('S27_Interrupt_DecidedByAPersonInOmium', async () => {
    const [saver, client, thread] = [new OmiumSaver(), new Client(), fresh('thread')];
    const [graph, config] = [graphOf(saver), threadOf(thread)];
    await graph.invoke({ log: [] }, config);
    const { tasks } = await graph.getState(config);
    const asking = saver.ask(config, tasks[0]!.interrupts[0]!.value);
    const review = await until(async () => {
      for await (const open of client.reviews({ status: 'open', execution: await saver.execution(thread) })) return open;
      return undefined;
    });
    expect(JSON.stringify(review)).toContain('after 3');
    await client.decide(review, 'approve');
    expect(await graph.invoke(new Command({ resume: (await asking) ? 'approved' : 'rejected' }), config)).toMatchObject({ answer: 'approved' });
  });

  it('S27_LargeState_ComesBackWhole', async () => {
    const [config, large] = [threadOf(fresh('thread')), 'x'.repeat(100_000)];
    await graphOf(new OmiumSaver()).invoke({ log: [large] }, config);
    const { values } = await graphOf(new OmiumSaver()).getState(config);
    expect(values.log).toEqual([large, 'split', 'left', 'right']);
  });

  it('S27_DeletedThread_BeginsAnew', async () => {
    const [saver, config] = [new OmiumSaver(), threadOf(fresh('thread'))];
    await graphOf(saver).invoke({ log: ['first'] }, config);
    await saver.deleteThread(config.configurable.thread_id);
    expect(await saver.getTuple(config)).toBeUndefined();
    await graphOf(new OmiumSaver()).invoke({ log: ['second'] }, config);
    expect((await graphOf(saver).getState(config)).values.log[0]).toBe('second');
  });

  it('S27_List_AnswersAsTheSaverOfTheLibrary', async () => {
    const [thread, ours, theirs] = [fresh('thread'), new OmiumSaver(), new MemorySaver()];
    const seen = [];
    for (const saver of [ours, theirs]) {
      const [graph, config] = [graphOf(saver), threadOf(thread)];
      await graph.invoke({ log: ['start'] }, config);
      const listed = [];
      for (const options of [{}, { limit: 2 }, { filter: { source: 'loop' } }, { filter: { step: 1 } }]) {
        for await (const tuple of saver.list(config, options)) {
          listed.push([tuple.metadata?.source, tuple.metadata?.step, Object.keys(tuple.checkpoint.channel_values).sort(), tuple.parentConfig === undefined, tuple.pendingWrites?.map(([, channel, value]) => [channel, value instanceof Send ? 'send' : typeof value]).sort()]);
        }
      }
      seen.push(listed);
    }
    expect(seen[0]).toEqual(seen[1]);
  });

  it('S27_Node_TakenBackWhileItRuns_SaysToInvokeAgain', async () => {
    const [saver, client, thread] = [new OmiumSaver(), new Client(), fresh('thread')];
    const config = threadOf(thread);
    let [times, undone] = [0, 0];
    const undo = (): number => undone++;
    const graph = new StateGraph(State).addNode('book', saver.node(async () => {
      await transaction('first', () => 1, { effect: 'idempotent', compensate: undo });
      await checkpoint('second', async () => {
        if (times++ > 0) return 2;
        const execution = await saver.execution(thread);
        await client.rollback(execution, (await client.execution(execution)).steps[0]!.step, { scope: 'all' });
        void until(async () => (await client.execution(execution)).status === 'paused').then(() => client.resume(execution));
        return 2;
      });
      return { log: ['booked'] };
    })).addEdge(START, 'book').addEdge('book', END).compile({ checkpointer: saver });
    await line(OmiumError, () => graph.invoke({ log: [] }, config), 'invoke the graph again');
    expect(await graph.invoke(null, config)).toMatchObject({ log: ['booked'] }); // What undoes the first runs before.
    expect([times, undone]).toEqual([2, 1]);
  });

  it('S27_NoThread_SaysHowToNameOne', async () => {
    await line(OmiumError, () => new OmiumSaver().getTuple({}), 'thread_id');
  });
});
