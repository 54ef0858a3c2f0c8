/** Workers: code of your own that does the `worker` steps of workflows. */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreditsExhausted, failureOf, LeaseLost, NotAllowed, OmiumError } from './errors.js';
import type { Json, TaskView } from './generated.js';
import { Transport, type Connection } from './transport.js';
import { plain } from './values.js';

const AGAIN_MS = 100;
const AGAIN_MS_MAX = 5_000;

/** Thrown by a task: it failed, with a class and whether trying again can help. */
export class Failed extends Error {
  override readonly name = 'Failed';
  readonly failureClass: string;
  readonly permanent: boolean;
  /** Whether its effect may have happened all the same; default: the server's (yes, for a step with an external effect). */
  readonly mayHaveHappened: boolean | undefined;

  constructor(message: string, options: { failureClass?: string; permanent?: boolean; mayHaveHappened?: boolean } = {}) {
    super(message);
    this.failureClass = options.failureClass ?? 'tool_error';
    this.permanent = options.permanent ?? false;
    this.mayHaveHappened = options.mayHaveHappened;
  }
}

/** A task as it was leased. */
export interface Task {
  id: string;
  queue: string;
  execution: string;
  workflow: string;
  step: string;
  attempt: number;
  /** With an external effect: the key to send along, the same when the task is leased again. */
  idempotencyKey: string | undefined;
  /** Aborted when the lease is lost: what is done from then on does not count. */
  signal: AbortSignal;
  /** The task as the server told it. */
  raw: TaskView;
}

/** Does a task; what it gives is the step's output, what it throws fails it. */
export type TaskFunction<Input = any> = (input: Input, task: Task) => unknown; // eslint-disable-line @typescript-eslint/no-explicit-any

/** Says what is seen of each claim of a handoff. */
export type AcknowledgeFunction = (message: Json, claims: string[]) => Record<string, unknown> | Promise<Record<string, unknown>>;

export interface WorkerOptions extends Connection {
  /** Default: host and process. */
  name?: string;
  /** Tasks at a time; default 4. */
  concurrency?: number;
  /** How long a poll waits for a task, and so how long stopping may take; default 20,000. */
  pollWaitMs?: number;
}

/**
 * Does tasks of queues: polls, sends heartbeats while a task runs, and tells what came of it.
 *
 *     const worker = new Worker();
 *     worker.task('mailings', async (input: { to: string }, { idempotencyKey }) => ({ sent: await mail(input.to, idempotencyKey) }));
 *     await worker.run();
 */
export class Worker {
  readonly #transport: Transport;
  readonly #name: string;
  readonly #concurrency: number;
  readonly #pollWaitMs: number;
  readonly #tasks = new Map<string, TaskFunction>();
  readonly #handoffs = new Map<string, AcknowledgeFunction>();
  readonly #stopping = new AbortController();
  #problem: OmiumError | undefined;

  constructor(options: WorkerOptions = {}) {
    this.#transport = new Transport(options);
    this.#name = options.name ?? `${hostname()}/${process.pid}`;
    this.#concurrency = options.concurrency ?? 4;
    this.#pollWaitMs = options.pollWaitMs ?? 20_000;
  }

  /** The function that does the tasks of a queue. */
  task<Input>(queue: string, work: TaskFunction<Input>): this {
    this.#tasks.set(queue, work);
    return this;
  }

  /** The function that says what it sees of each claim of a handoff. */
  acknowledges(queue: string, measure: AcknowledgeFunction): this {
    this.#handoffs.set(queue, measure);
    return this;
  }

  /** Works until `stop` is called, or SIGINT or SIGTERM comes; then finishes the tasks under way. Throws OmiumError when the key is not accepted. */
  async run({ handleSignals = true }: { handleSignals?: boolean } = {}): Promise<void> {
    if (this.#tasks.size === 0) throw new OmiumError('this worker has no task: give functions with worker.task(queue, function)', 'no_tasks');
    const stop = (): void => this.stop();
    if (handleSignals) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop); // A second one ends the process.
    try {
      await Promise.all(Array.from({ length: this.#concurrency }, () => this.#work()));
    } finally {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
    }
    if (this.#problem !== undefined) throw this.#problem;
  }

  /** Takes no further task. Those under way are finished. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Takes one task and does it; false when there was none. */
  async runOnce(waitMs = 0): Promise<boolean> {
    const task = await this.#poll(waitMs);
    if (task !== undefined) await this.#do(task);
    return task !== undefined;
  }

  async #work(): Promise<void> {
    let waitMs = AGAIN_MS;
    while (!this.#stopping.signal.aborted) {
      try {
        const task = await this.#poll(this.#pollWaitMs); // Not broken off when it stops: a task that was just leased would wait for its lease to end.
        waitMs = AGAIN_MS;
        if (task !== undefined) await this.#do(task);
      } catch (error) {
        if (!(error instanceof OmiumError)) throw error;
        if (error instanceof NotAllowed || error instanceof CreditsExhausted) {
          this.#problem = error;
          this.stop();
          return;
        }
        process.stderr.write(`omium: ${error.message}; trying again\n`);
        await sleep(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, AGAIN_MS_MAX);
      }
    }
  }

  async #poll(waitMs: number): Promise<TaskView | undefined> {
    return await this.#transport.request<TaskView | undefined>('POST', '/v1/workers/poll', { queues: [...this.#tasks.keys()], wait_ms: waitMs, worker: this.#name });
  }

  async #do(task: TaskView): Promise<void> {
    const lost = new AbortController();
    const path = `/v1/tasks/${encodeURIComponent(task.id)}`;
    const heart = setInterval(() => void this.#beat(path, lost), task.lease_ms / 3);
    try {
      const [word, body] = await this.#outcome(task, lost.signal);
      await this.#transport.request('POST', `${path}/${word}`, body, { patienceMs: task.lease_ms });
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
      process.stderr.write(`omium: task ${task.step} of ${task.execution}: ${error.message}\n`);
    } finally {
      clearInterval(heart);
    }
  }

  async #outcome(task: TaskView, signal: AbortSignal): Promise<['complete' | 'fail', unknown]> {
    try {
      if (task.kind === 'handoff') return ['complete', { output: await this.#acknowledge(task) }];
      const { id, queue, execution, workflow, step, attempt } = task;
      const given: Task = { id, queue, execution, workflow, step, attempt: attempt ?? 1, idempotencyKey: task.idempotency_key, signal, raw: task };
      return ['complete', { output: plain(await this.#tasks.get(queue)!(task.input, given), `the result of ${step}`) }];
    } catch (error) {
      if (error instanceof Failed) {
        return ['fail', { message: error.message, class: error.failureClass, permanent: error.permanent, may_have_happened: error.mayHaveHappened }];
      }
      if (error instanceof OmiumError) return ['fail', { message: error.message, class: 'tool_error', permanent: true }];
      const failure = failureOf(error);
      return ['fail', { message: `${error instanceof Error ? error.name : typeof error}: ${failure.message}`, class: failure.class }];
    }
  }

  async #acknowledge(task: TaskView): Promise<Json> {
    const measure = this.#handoffs.get(task.queue);
    if (measure === undefined) {
      throw new OmiumError(`queue '${task.queue}' is handed something over and nothing here measures it: give a function with worker.acknowledges('${task.queue}', function)`, 'no_acknowledgement');
    }
    return plain(await measure(task.message ?? null, task.claims ?? []), 'what was seen');
  }

  async #beat(path: string, lost: AbortController): Promise<void> {
    try {
      await this.#transport.request('POST', `${path}/heartbeat`, {});
    } catch (error) {
      if (error instanceof LeaseLost) lost.abort(error); // Any other error: the next one may get through; if none does, the lease runs out, which the answer says.
    }
  }
}
