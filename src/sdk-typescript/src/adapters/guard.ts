/** Tools of any framework as transactions: what a model calls twice in the same way after a crash has happened once. */
import { checkpoint, transaction, type TransactionOptions } from '../blocks.js';
import { here, type Context } from '../context.js';
import { digest, plain } from '../values.js';

/** How a tool's calls are guarded; `effect: 'none'` for a tool that changes nothing outside: its result is recorded and nothing more. */
export type GuardOptions<Result = unknown, Input = unknown> = Omit<TransactionOptions<Result, Input>, 'effect' | 'key' | 'input'> & { effect?: 'none' | 'idempotent' | 'verifiable' | 'irreversible' };

const counts = new WeakMap<object, Map<string, number>>();

/**
 * A tool's function, with each call on record: called with the same input at the same place again, the recorded result answers. A call is known by the tool, its
 * input and which one of that input it is, so that a model which goes another way asks for other calls. `idempotencyKey()` within it is the key to send along.
 */
export function guarded<Input, More extends unknown[], Result>(
  name: string, execute: (input: Input, ...more: More) => Result | Promise<Result>, options: GuardOptions<Result, Input> = {},
): (input: Input, ...more: More) => Promise<Result> {
  return async (input, ...more) => {
    const { effect, ...declared } = options;
    const key = keyOf(name, input);
    const work = async (): Promise<Result> => await execute(input, ...more);
    if (effect === 'none') return await checkpoint<Result, Input>(name, work, { key, input, schema: declared.schema, constraints: declared.constraints });
    return await transaction<Result, Input>(name, work, { ...declared, effect, key, input });
  };
}

/** The digest of the input and the number of this call of it. */
export function keyOf(name: string, input: unknown): string {
  const { session, run, scope } = here() satisfies Context;
  const known = digest(plain(input, `the input of ${name}`)).slice(0, 16);
  const place = scope ?? session;
  const within = counts.get(place) ?? new Map<string, number>();
  counts.set(place, within);
  const call = `${run}:${name}:${known}`;
  const number = (within.get(call) ?? 0) + 1;
  within.set(call, number);
  return `${scope?.prefix ?? ''}${known}-${number}`;
}
