/** Where the code that runs belongs: its execution, its agent, the calls that it is within. Kept across awaits. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { OmiumError } from './errors.js';
import type { Session } from './session.js';

export interface Context {
  session: Session;
  /** Whose code it is. */
  agent?: string;
  /** The run of the program, counted: what an older one asks for is answered by beginning anew. */
  run: number;
  /** The calls that it is within. */
  calls: readonly symbol[];
  /** The key of the transaction that it is within. */
  idempotencyKey?: string;
  /** A part of the program that is played again by itself, such as a graph's task: calls are counted within it. */
  scope?: Scope;
}

/** Counts calls by name, under keys that begin with a text of its own. */
export interface Scope {
  prefix: string;
  counts: Map<string, number>;
}

const storage = new AsyncLocalStorage<Context>();

/** Where the caller belongs; undefined outside of every execution. */
export const current = (): Context | undefined => storage.getStore();

/** Runs a function so that it belongs there. */
export function within<T>(context: Context, run: () => T): T {
  return storage.run(context, run);
}

/** Where the caller belongs. Throws OmiumError outside of every execution. */
export function here(): Context {
  const context = current();
  if (context === undefined) {
    throw new OmiumError('nothing is being executed here: call this within a function made by agent(...), or within startExecution(...).run(...)', 'no_execution');
  }
  return context;
}
