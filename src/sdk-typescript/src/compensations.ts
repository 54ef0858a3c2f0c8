/** What undoes transactions, by the name under which a program that is started anew finds it. */

/** What a compensation is given. */
export interface Undoing<Output = unknown, Input = unknown> {
  /** What the transaction gave; undefined when nobody knows. */
  output: Output;
  /** Its input, when it was told. */
  input: Input;
  /** The same for each attempt to undo it. */
  idempotencyKey: string;
}

/** Undoes a transaction. Must do no harm when it runs twice with the same key. */
export type Compensation<Output = any, Input = any> = (undoing: Undoing<Output, Input>) => unknown; // eslint-disable-line @typescript-eslint/no-explicit-any

const named = new Map<string, Compensation>();
const names = new WeakMap<Compensation, string>();

/**
 * Registers what undoes transactions, and gives it back: `const refund = compensation('refund', async ({ output, idempotencyKey }) => ...)`.
 * Do it where the module is loaded, so that a program that is started anew finds it.
 */
export function compensation<Known extends Compensation>(name: string, undo: Known): Known {
  named.set(name, undo);
  names.set(undo, name);
  return undo;
}

/** The function of a name; undefined when the program knows none. */
export const compensationOf = (name: string): Compensation | undefined => named.get(name);

/** The name under which a transaction records what undoes it. One that was never registered is found by this process alone. */
export function nameOf(undo: Compensation | string | undefined, transaction: string): string | undefined {
  if (undo === undefined || typeof undo === 'string') return undo;
  const known = names.get(undo);
  if (known !== undefined) return known;
  const name = `transaction:${transaction}`;
  named.set(name, undo);
  return name;
}
