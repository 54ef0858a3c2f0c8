/** What an agent does once: `checkpoint` and `transaction`, as functions and as `Checkpoint` and `Transaction` to be run; `captureFailure`. */
import { nameOf, type Compensation } from './compensations.js';
import { here, within } from './context.js';
import { NotSerializable, OmiumError } from './errors.js';
import type { Json } from './generated.js';
import { schemaOf, type Schema } from './schemas.js';
import { Restart, type Declared, type Step } from './session.js';
import { decode, encode } from './values.js';

/** What a result is held to: `{min, max}` bound it if it is a number, else its single numeric member; or expressions (or `{check, message}`) over `output`. */
export type Constraints = { min?: number; max?: number } | (string | { check: string; message?: string })[];

export interface CheckpointOptions<Input = undefined> {
  /** Tells calls of one name apart that run at the same time; default: the n-th call of the name. */
  key?: string;
  /** What it is done with, handed to the function. Asked for again with another one, it throws ReplayMismatch. */
  input?: Input;
  /** What the result is held to by the server, before it is recorded. */
  schema?: Schema;
  constraints?: Constraints;
}

/** What a transaction's code is given. */
export interface Running {
  /** The key to send along: the same each time this transaction runs, until it is undone. */
  idempotencyKey: string;
}

/** Whether a transaction happened; null when that is unknown. With `output`, what it gave. */
export type Verdict<Result> = boolean | null | { done: true; output: Result };

export interface TransactionOptions<Result, Input = undefined> extends CheckpointOptions<Input> {
  /** irreversible (default): when nobody knows whether it happened, a person says. idempotent: it runs again with the same key. verifiable (default with `verify`): `verify` is asked. */
  effect?: 'idempotent' | 'verifiable' | 'irreversible';
  /** Undoes it when it is taken back; register it with `compensation`, so that a program that is started anew finds it. */
  compensate?: Compensation<Result, Input> | string;
  /** Tells whether it happened. */
  verify?: (asked: { idempotencyKey: string; input: Input }) => Verdict<Result> | Promise<Verdict<Result>>;
  /** The key to send along; default: one is made. */
  idempotencyKey?: string;
  /** True: a person approves it before it runs. */
  approval?: boolean;
  /** Value at stake; above the tenant's limit a person approves it. */
  amountUsd?: number;
}

/** The key to send along, within a transaction: the same each time that it runs, until it is undone. For code that is called by others, such as a model's tool. */
export function idempotencyKey(): string {
  const { idempotencyKey: key } = here();
  if (key === undefined) throw new OmiumError('there is no idempotency key here: only a transaction has one', 'no_transaction');
  return key;
}

/** Thrown within a transaction: it certainly did not happen. Any other error leaves that open. */
export class NotDone extends Error {
  override readonly name = 'NotDone';
}

abstract class Block<Result, Input> {
  constructor(readonly name: string, protected readonly options: CheckpointOptions<Input>) {}

  /** Does it, or answers what is recorded. */
  protected async once(run: (step: Step) => Result | Promise<Result>): Promise<Result> {
    const context = here();
    const step = await this.asked();
    if (step.state !== 'run') return decode(step.output) as Result;
    let output: Json;
    let result: Result;
    try {
      result = await within({ ...context, calls: [...context.calls, step.call], idempotencyKey: step.idempotencyKey }, () => run(step));
      output = encode(result, `the result of ${this.name}`);
    } catch (error) {
      if (error instanceof Restart) throw error; // A step within it was taken back, and this one with it.
      await context.session.fail(step, error, error instanceof NotDone ? false : undefined);
      throw error;
    }
    const standing = await context.session.finish(step, output);
    return standing === output ? result : (decode(standing) as Result);
  }

  /** The step, asked for. */
  protected async asked(key = this.options.key): Promise<Step> {
    return await here().session.begin(this.name, { ...this.declared(), key });
  }

  protected declared(): Declared {
    const { input, schema, constraints } = this.options;
    return { input: input === undefined ? undefined : encode(input, `the input of ${this.name}`), schema: schemaOf(schema), constraints: constraints as Json | undefined };
  }
}

/**
 * Done at least once until it is recorded, and answered from the record from then on: `await new Checkpoint('payment_initiated').run(() => prepare(order))`.
 * Keep what changes the world in a Transaction.
 */
export class Checkpoint<Input = undefined> extends Block<unknown, Input> {
  constructor(name: string, options: CheckpointOptions<Input> = {}) {
    super(name, options);
  }

  /** Does it, or answers what is recorded. Throws SchemaMismatch or ConstraintViolated when the result does not meet its checks. */
  async run<Result>(work: (input: Input) => Result | Promise<Result>): Promise<Result> {
    return (await this.once(() => work(this.options.input as Input))) as Result;
  }
}

/** Changes the world outside: its intent is on record before it runs, and it is taken back by `compensate`. */
export class Transaction<Result = unknown, Input = undefined> extends Block<Result, Input> {
  protected declare readonly options: TransactionOptions<Result, Input>;
  readonly #compensate: string | undefined;

  constructor(name: string, options: TransactionOptions<Result, Input> = {}) {
    super(name, options);
    if (options.effect === 'verifiable' && options.verify === undefined) {
      throw new OmiumError(`transaction '${name}' is verifiable: give 'verify', which tells whether it happened`, 'verify_needed');
    }
    this.#compensate = nameOf(options.compensate, name);
  }

  /** Does it, or answers what is recorded. */
  async run(work: (running: Running, input: Input) => Result | Promise<Result>): Promise<Result> {
    return await this.once((step) => work({ idempotencyKey: step.idempotencyKey! }, this.options.input as Input));
  }

  protected override async asked(): Promise<Step> {
    let step = await super.asked();
    while (step.state === 'verify') {
      const verdict = await this.options.verify!({ idempotencyKey: step.idempotencyKey!, input: this.options.input as Input });
      const isDone = verdict === true || (typeof verdict === 'object' && verdict !== null);
      const output = typeof verdict === 'object' && verdict !== null ? encode(verdict.output, `what verify of ${this.name} gives`) : undefined;
      await here().session.verified(step, isDone ? 'done' : verdict === false ? 'not_done' : 'unknown', output);
      step = await super.asked(step.key);
    }
    return step;
  }

  protected override declared(): Declared {
    const { effect, verify, idempotencyKey, approval, amountUsd } = this.options;
    return {
      ...super.declared(), kind: 'transaction', effect: effect ?? (verify ? 'verifiable' : 'irreversible'), compensate: this.#compensate,
      idempotency_key: idempotencyKey, approval: approval || undefined, amount_usd: amountUsd,
    };
  }
}

/** Calls a function once: from then on its recorded result answers. `await checkpoint('score', () => model.score(customer))`. */
export async function checkpoint<Result, Input = undefined>(name: string, work: (input: Input) => Result | Promise<Result>, options: CheckpointOptions<Input> = {}): Promise<Result> {
  return await new Checkpoint<Input>(name, options).run(work);
}

/** Calls a function that changes the world outside: `await transaction('pay', ({ idempotencyKey }) => bank.pay(12, idempotencyKey), { effect: 'idempotent', compensate: refund })`. */
export async function transaction<Result, Input = undefined>(
  name: string, work: (running: Running, input: Input) => Result | Promise<Result>, options: TransactionOptions<Result, Input> = {},
): Promise<Result> {
  return await new Transaction<Result, Input>(name, options).run(work);
}

/** Records what fails, and lets it go on its way: `await captureFailure('scoring', () => score(customer))`, or `await captureFailure('scoring', error)`. */
export async function captureFailure<Result>(name: string, work: (() => Result | Promise<Result>) | Error): Promise<Result | undefined> {
  if (typeof work !== 'function') {
    await record(name, work);
    return undefined;
  }
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Restart)) await record(name, error);
    throw error;
  }
}

async function record(name: string, error: unknown): Promise<void> {
  const { session } = here();
  try {
    const step = await session.begin(name);
    if (step.state === 'run') await session.fail(step, error);
  } catch (refused) {
    if (refused instanceof NotSerializable || refused instanceof Restart) throw refused;
    if (!(refused instanceof OmiumError)) throw refused;
  }
}
