/** Agents and the executions they work on: `agent`, `Agent`, `startExecution`. */
import { checkpoint, transaction, type CheckpointOptions, type Running, type TransactionOptions } from './blocks.js';
import { current, within } from './context.js';
import { OmiumError } from './errors.js';
import { Restart, Session, type Options } from './session.js';
import { Transport, type Connection } from './transport.js';
import { decode, encode } from './values.js';

/** Errors of the way to the server, or of the run, not of the program: the execution stays as it is, to be gone on with. */
const LEAVES_OPEN = new Set(['server_unreachable', 'unauthenticated', 'CREDITS_EXHAUSTED', 'needs_person', 'replay_mismatch', 'task_fenced', 'execution_ended']);

export interface ExecutionOptions extends Options, Connection {
  /** An execution to go on with (`exe_...`), or any text of yours that means one; default OMIUM_EXECUTION_ID. */
  id?: string;
  /** Any text; the same key is always the same execution. */
  key?: string;
  /** Kept with the execution. */
  input?: unknown;
}

/** A traced execution that this process works on. */
export class Execution {
  readonly #session: Session;

  /** As startExecution does. */
  constructor(session: Session) {
    this.#session = session;
  }

  get id(): string {
    return this.#session.execution;
  }

  /** As last told. */
  get status(): string {
    return this.#session.status;
  }

  /**
   * Runs the program: the steps in it belong to this execution, its result is the execution's output. When a person takes back what it did, it is run again
   * from its start, and what is recorded answers. An execution that has succeeded answers its output, and nothing is run.
   */
  async run<Result>(program: () => Result | Promise<Result>, agent?: string): Promise<Result> {
    const session = this.#session;
    if (session.status === 'succeeded') {
      session.close();
      return decode(session.output) as Result;
    }
    try {
      await session.ready();
      for (;;) {
        try {
          const result = await within({ session, agent, run: session.run, calls: [] }, program);
          if (session.isTakenBack) throw new Restart();
          await session.complete(encode(result, 'the output'));
          return result;
        } catch (error) {
          if (!session.isTakenBack && !(error instanceof Restart)) {
            if ((error instanceof OmiumError && LEAVES_OPEN.has(error.code)) || (await told(session, error))) throw error;
          }
          await session.beginAnew();
        }
      }
    } finally {
      session.close();
    }
  }
}

/** Tells how the program failed; false when what it did was taken back meanwhile, and it begins anew. */
async function told(session: Session, error: unknown): Promise<boolean> {
  try {
    await session.complete(null, error);
    return true;
  } catch (refused) {
    if (refused instanceof Restart) return false;
    throw refused;
  }
}

/** Starts a traced execution, or goes on with the one that `id` or `key` means: `await (await startExecution('checkout', { key: 'order-42' })).run(async () => ...)`. */
export async function startExecution(name: string, options: ExecutionOptions = {}): Promise<Execution> {
  const session = new Session(new Transport(options), name, options);
  try {
    await session.start(options.id ?? (process.env.OMIUM_EXECUTION_ID || undefined), options.key, options.input);
  } catch (error) {
    session.close();
    throw error;
  }
  return new Execution(session);
}

/** A function whose steps are recorded. Called outside of an execution it starts one; called within one it takes part in it. */
export interface AgentFunction<Given extends unknown[], Result> {
  (...given: Given): Promise<Result>;
  /** The same agent on an execution to be gone on with: `await payment.with({ id: 'order-42' })(order)`. */
  with(options: ExecutionOptions): AgentFunction<Given, Result>;
}

/**
 * Marks a function as an agent: `const payment = agent('payment_processor', async (order: Order) => ...)`. Started again with the same execution id, the steps in it
 * that are finished answer from the record. When a person takes back what it did, it is played again from its start.
 */
export function agent<Given extends unknown[], Result>(name: string, program: (...given: Given) => Result | Promise<Result>, options: ExecutionOptions = {}): AgentFunction<Given, Result> {
  const run = async (...given: Given): Promise<Result> => {
    const outer = current();
    if (outer !== undefined) return await within({ ...outer, agent: name }, async () => await program(...given));
    return await (await startExecution(name, options)).run(async () => await program(...given), name);
  };
  return Object.assign(run, { with: (more: ExecutionOptions) => agent(name, program, { ...options, ...more }) });
}

/**
 * An agent as a class: write `run`, and call `start`.
 *
 *     class Scoring extends Agent<[Customer], number> {
 *       async run(customer: Customer) { return await this.checkpoint('scored', () => ask(customer)); }
 *     }
 *     await new Scoring().start(customer);
 */
export abstract class Agent<Given extends unknown[] = [], Result = unknown> {
  readonly name: string;
  readonly #options: ExecutionOptions;

  /** name: default the name of the class. */
  constructor(name?: string, options: ExecutionOptions = {}) {
    this.name = name ?? new.target.name;
    this.#options = options;
  }

  /** What the agent does. */
  abstract run(...given: Given): Result | Promise<Result>;

  /** Does it: as an execution of its own, or within the one that the caller is in. */
  async start(...given: Given): Promise<Result> {
    return await agent(this.name, (...all: Given) => this.run(...all), this.#options)(...given);
  }

  /** As `checkpoint`, in this agent's name. */
  async checkpoint<R, I = undefined>(name: string, work: (input: I) => R | Promise<R>, options?: CheckpointOptions<I>): Promise<R> {
    return await this.#named(() => checkpoint(name, work, options));
  }

  /** As `transaction`, in this agent's name. */
  async transaction<R, I = undefined>(name: string, work: (running: Running, input: I) => R | Promise<R>, options?: TransactionOptions<R, I>): Promise<R> {
    return await this.#named(() => transaction(name, work, options));
  }

  async #named<T>(work: () => Promise<T>): Promise<T> {
    const outer = current();
    return outer === undefined ? await work() : await within({ ...outer, agent: this.name }, work);
  }
}
