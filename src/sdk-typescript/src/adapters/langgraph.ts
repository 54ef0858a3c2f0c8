/** LangGraph.js: a checkpointer that keeps a graph's threads in Omium, and nodes whose effects are recorded. Written against @langchain/langgraph 1.7. */
import { createHash } from 'node:crypto';
import { BaseCheckpointSaver, copyCheckpoint, type Checkpoint, type CheckpointMetadata, type CheckpointTuple, type LangGraphRunnableConfig } from '@langchain/langgraph';
import { within } from '../context.js';
import { OmiumError, StepFailed } from '../errors.js';
import type { Json, StepView, StepViewPage } from '../generated.js';
import { Restart, Session, type Options } from '../session.js';
import { Transport, type Connection } from '../transport.js';
import { plain } from '../values.js';

type Config = Pick<LangGraphRunnableConfig, 'configurable'>;
type Writes = Parameters<BaseCheckpointSaver['putWrites']>[1];
type PendingWrites = NonNullable<CheckpointTuple['pendingWrites']>;
type ListOptions = Parameters<BaseCheckpointSaver['list']>[1];
type Dumped = [type: string, base64: string];

const PAGE = 200;
const PAYLOADS_MAX = 1_000;

/** Errors, interrupts and resumes have one place for each task, whatever else it writes: the newest counts. Of any other place the first does. */
const PLACES: Record<string, number> = { __error__: -1, __scheduled__: -2, __interrupt__: -3, __resume__: -4 };

interface KeptCheckpoint {
  ns: string;
  id: string;
  parent: string | null;
  checkpoint: Dumped;
  metadata: Dumped;
}

interface KeptWrites {
  ns: string;
  id: string;
  task: string;
  path: string;
  writes: [channel: string, value: Dumped][];
}

interface Write {
  task: string;
  path: string;
  place: number;
  channel: string;
  value: Dumped;
}

export interface OmiumSaverOptions extends Connection, Options {
  /** What makes bytes of values; default LangGraph's own. */
  serde?: BaseCheckpointSaver['serde'];
  /** What the threads' executions are called; default `langgraph`. */
  name?: string;
}

/**
 * Keeps a graph's threads in Omium: `graph.compile({ checkpointer: new OmiumSaver() })`.
 *
 * Each thread is a traced execution, each checkpoint and each task's writes a step of it: seen in its timeline, verified with its log. What a person takes back in
 * Omium is gone from the thread, and the graph goes on from the checkpoint before. Nothing is written twice.
 */
export class OmiumSaver extends BaseCheckpointSaver {
  readonly #transport: Transport;
  readonly #name: string;
  readonly #options: OmiumSaverOptions;
  readonly #threads = new Map<string, Promise<Session>>();
  readonly #payloads = new Map<string, Json>();

  constructor(options: OmiumSaverOptions = {}) {
    super(options.serde);
    this.#transport = new Transport(options);
    this.#name = options.name ?? 'langgraph';
    this.#options = options;
  }

  /** The checkpoint that the config names, else the newest of its thread; undefined when there is none. */
  override async getTuple(config: Config): Promise<CheckpointTuple | undefined> {
    for await (const found of this.#tuples(config, config.configurable?.checkpoint_ns ?? '', { limit: 1 })) return found;
    return undefined;
  }

  /** Checkpoints of a thread, newest first. Throws OmiumError when the config names no thread. */
  override async *list(config: Config, options: ListOptions = {}): AsyncGenerator<CheckpointTuple> {
    yield* this.#tuples(config, config.configurable?.checkpoint_ns as string | undefined, options);
  }

  /** Records a checkpoint. */
  override async put(config: Config, checkpoint: Checkpoint, metadata: CheckpointMetadata): Promise<Config> {
    const [thread, ns] = [threadOf(config), (config.configurable?.checkpoint_ns as string | undefined) ?? ''];
    const kept: KeptCheckpoint = {
      ns, id: checkpoint.id, parent: (config.configurable?.checkpoint_id as string | undefined) ?? null, checkpoint: await this.#dump(copyCheckpoint(checkpoint)), metadata: await this.#dump(metadata),
    };
    await this.#record(thread, 'checkpoint', `${short(ns)}:${checkpoint.id}`, kept as unknown as Json);
    return { configurable: { thread_id: thread, checkpoint_ns: ns, checkpoint_id: checkpoint.id } };
  }

  /** Records what a task has written beside a checkpoint: an interrupted or killed run goes on from there. */
  override async putWrites(config: Config, writes: Writes, taskId: string, taskPath = ''): Promise<void> {
    const [ns, id] = [(config.configurable?.checkpoint_ns as string | undefined) ?? '', config.configurable?.checkpoint_id as string];
    const dumped = await Promise.all(writes.map(async ([channel, value]): Promise<[string, Dumped]> => [channel, await this.#dump(value)]));
    const kept: KeptWrites = { ns, id, task: taskId, path: taskPath, writes: dumped };
    await this.#record(threadOf(config), 'writes', `${short(ns)}:${id}:${short(taskId)}:${short(JSON.stringify(dumped))}`, kept as unknown as Json);
  }

  /** Ends a thread: its execution is cancelled and stays readable in Omium, and the thread begins anew. */
  override async deleteThread(threadId: string): Promise<void> {
    const session = await this.#session(threadId);
    this.#threads.delete(threadId);
    session.close();
    await this.#transport.request('POST', `/v1/executions/${session.execution}/cancel`);
  }

  /** The execution that a thread is. */
  async execution(threadId: string): Promise<string> {
    return (await this.#session(threadId)).execution;
  }

  /**
   * Shows an interrupt of a thread to a person as a review, and waits for the answer: true when it is approved.
   *
   *     const { tasks } = await graph.getState(config);
   *     await graph.invoke(new Command({ resume: await saver.ask(config, tasks[0].interrupts[0].value) }), config);
   */
  async ask(config: Config, question: unknown): Promise<boolean> {
    const session = await this.#session(threadOf(config));
    const input = { question: plain(question, 'the question') };
    const key = short(`${String(config.configurable?.checkpoint_id ?? (await this.getTuple(config))?.config.configurable?.checkpoint_id)}:${JSON.stringify(input)}`);
    try {
      return await within({ session, run: session.run, calls: [] }, async () => {
        const step = await session.begin('interrupt', { kind: 'transaction', key, effect: 'idempotent', approval: true, input });
        if (step.state === 'run') await session.finish(step, true);
        return true;
      });
    } catch (error) {
      if (error instanceof StepFailed && error.failure.class === 'rejected') return false;
      throw error;
    }
  }

  /**
   * A node whose `checkpoint`s and `transaction`s are steps of the thread: `graph.addNode('book', saver.node(async (state) => ({ seat: await transaction(...) })))`.
   * LangGraph runs a node from its start again after an interrupt within it, after a crash and when it is retried; what is finished in it answers from the record
   * then. Call `interrupt` outside of them.
   */
  node<State, Update>(work: (state: State, config: LangGraphRunnableConfig) => Update | Promise<Update>): (state: State, config: LangGraphRunnableConfig) => Promise<Update> {
    return async (state, config) => {
      const task: unknown = config.configurable?.__pregel_task_id;
      if (typeof task !== 'string') throw new OmiumError('this node does not run in a graph: LangGraph tells it no task', 'no_execution');
      const thread = threadOf(config);
      const session = await this.#session(thread);
      await session.ready();
      const scope = { prefix: `${short(task)}-`, counts: new Map<string, number>() };
      const agent = typeof config.metadata?.langgraph_node === 'string' ? config.metadata.langgraph_node : undefined;
      try {
        const update = await within({ session, agent, run: session.run, calls: [], scope }, async () => await work(state, config));
        if (session.isTakenBack) throw new Restart();
        return update;
      } catch (error) {
        throw session.isTakenBack ? this.#takenBack(thread, session) : error;
      }
    };
  }

  async #record(thread: string, name: string, key: string, kept: Json): Promise<void> {
    const session = await this.#session(thread);
    await session.ready();
    try {
      await session.record(name, key, kept);
    } catch (error) {
      throw error instanceof Restart ? this.#takenBack(thread, session) : error;
    }
  }

  /** The graph at work holds what is no more: only a new run of it reads what stands. */
  #takenBack(thread: string, session: Session): OmiumError {
    this.#threads.delete(thread);
    session.close();
    return new OmiumError(`what thread ${thread} did was taken back to an earlier step, or paused: invoke the graph again`, 'rolled_back');
  }

  /** The thread's session; one that was deleted begins anew under the next number. */
  async #session(thread: string): Promise<Session> {
    let known = this.#threads.get(thread);
    if (known === undefined) {
      known = this.#open(thread);
      this.#threads.set(thread, known);
      known.catch(() => this.#threads.delete(thread));
    }
    return await known;
  }

  async #open(thread: string): Promise<Session> {
    for (let number = 1; ; number++) {
      const session = new Session(this.#transport, this.#name, this.#options);
      await session.start(undefined, number === 1 ? `langgraph:${thread}` : `langgraph:${thread}:${number}`);
      if (session.status !== 'cancelled') return session;
      session.close();
    }
  }

  async *#tuples(config: Config, ns: string | undefined, { limit, before, filter }: NonNullable<ListOptions>): AsyncGenerator<CheckpointTuple> {
    const thread = threadOf(config);
    const [wanted, bound] = [config.configurable?.checkpoint_id as string | undefined, before?.configurable?.checkpoint_id as string | undefined];
    const { checkpoints, writes } = await this.#kept(thread, ns);
    let left = limit ?? Infinity;
    for (const kept of checkpoints.sort((one, other) => (one.id < other.id ? 1 : -1))) {
      if ((wanted !== undefined && kept.id !== wanted) || (bound !== undefined && kept.id >= bound)) continue;
      const metadata = (await this.#load(kept.metadata)) as CheckpointMetadata;
      if (filter !== undefined && !Object.entries(filter as Record<string, unknown>).every(([name, value]) => (metadata as unknown as Record<string, unknown>)[name] === value)) continue;
      if (left-- <= 0) return;
      const place = { thread_id: thread, checkpoint_ns: kept.ns };
      yield {
        config: { configurable: { ...place, checkpoint_id: kept.id } }, checkpoint: (await this.#load(kept.checkpoint)) as Checkpoint, metadata,
        parentConfig: kept.parent === null ? undefined : { configurable: { ...place, checkpoint_id: kept.parent } }, pendingWrites: await this.#pending(writes.get(`${kept.ns}\n${kept.id}`) ?? []),
      };
    }
  }

  /** In the order in which a run applies them: by path, task and place. */
  async #pending(writes: Write[]): Promise<PendingWrites> {
    const ordered = writes.sort((one, other) => compare(one.path, other.path) || compare(one.task, other.task) || one.place - other.place);
    return await Promise.all(ordered.map(async ({ task, channel, value }): Promise<PendingWrites[number]> => [task, channel, await this.#load(value)]));
  }

  /** What is recorded of a thread: its checkpoints, and the writes beside each. */
  async #kept(thread: string, ns: string | undefined): Promise<{ checkpoints: KeptCheckpoint[]; writes: Map<string, Write[]> }> {
    const session = await this.#session(thread);
    await session.catchUp();
    const { execution } = session;
    const [checkpoints, writes]: [KeptCheckpoint[], Map<string, Map<string, Write>>] = [[], new Map()];
    for await (const step of this.#steps(execution)) {
      const kept = step.status === 'committed' && /^(checkpoint|writes)@/.test(step.step) ? await this.#whole(execution, step.output) : undefined;
      if (kept === undefined || (ns !== undefined && kept.ns !== ns)) continue;
      if ('checkpoint' in kept) {
        checkpoints.push(kept);
        continue;
      }
      const beside = writes.get(`${kept.ns}\n${kept.id}`) ?? new Map<string, Write>();
      writes.set(`${kept.ns}\n${kept.id}`, beside);
      for (const [index, [channel, value]] of kept.writes.entries()) {
        const place = PLACES[channel] ?? index;
        if (place < 0 || !beside.has(`${kept.task}:${place}`)) beside.set(`${kept.task}:${place}`, { task: kept.task, path: kept.path, place, channel, value });
      }
    }
    return { checkpoints, writes: new Map([...writes].map(([id, of]) => [id, [...of.values()]])) };
  }

  async *#steps(execution: string): AsyncGenerator<StepView> {
    for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
      const page: StepViewPage = await this.#transport.request('GET', `/v1/executions/${execution}/steps?limit=${PAGE}${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`, undefined, { patienceMs: 2_000 });
      yield* page.items;
      cursor = page.next_cursor;
    }
  }

  /** A value as it was recorded; large ones are read once. */
  async #whole(execution: string, value: Json | undefined): Promise<KeptCheckpoint | KeptWrites | undefined> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const reference = value.omium_ref;
    if (typeof reference !== 'string') return value as unknown as KeptCheckpoint | KeptWrites;
    const known = this.#payloads.get(reference) ?? (await this.#transport.request<Json>('GET', `/v1/executions/${execution}/payloads/${reference}`, undefined, { patienceMs: 2_000 }));
    this.#payloads.delete(reference);
    this.#payloads.set(reference, known);
    if (this.#payloads.size > PAYLOADS_MAX) this.#payloads.delete(this.#payloads.keys().next().value!);
    return known as unknown as KeptCheckpoint | KeptWrites;
  }

  async #dump(value: unknown): Promise<Dumped> {
    const [type, bytes] = await this.serde.dumpsTyped(value);
    return [type, Buffer.from(bytes).toString('base64')];
  }

  async #load([type, base64]: Dumped): Promise<unknown> {
    return (await this.serde.loadsTyped(type, Buffer.from(base64, 'base64'))) as unknown;
  }
}

function threadOf(config: Config): string {
  const thread: unknown = config.configurable?.thread_id;
  if (typeof thread !== 'string' || thread === '') throw new OmiumError("a thread is needed: call the graph with { configurable: { thread_id: '...' } }", 'thread_needed');
  return thread;
}

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
const compare = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other)); // UTF-8 is in the order of code points.

