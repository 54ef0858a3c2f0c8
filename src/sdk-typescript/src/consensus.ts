/** Agents that hand something over and agree on it: `Consensus` and `Handoff`. */
import type { Constraints } from './blocks.js';
import { here } from './context.js';
import type { Json } from './generated.js';
import { readAs, schemaOf, type Schema } from './schemas.js';
import { plain } from './values.js';

export interface Told<T> {
  output: T;
  /** What the message is held to; a message that breaks it is received by nobody. */
  schema?: Schema<T>;
  constraints?: Constraints;
  /** Whom it is for; default whoever asks. */
  to?: string;
  /** What is claimed of the message, compared with what the receiver has `seen`. */
  claims?: Record<string, unknown>;
  /** Tells messages of one agent apart that are sent at the same time. */
  key?: string;
}

export interface Asked<T> {
  schema?: Schema<T>;
  constraints?: Constraints;
  /** What the receiver holds of each claim. Other than the sender claims halts the execution until a person decides. */
  seen?: Record<string, unknown>;
  key?: string;
}

/** What the agents of an execution tell each other. Messages are recorded, held to schema and constraints, and the same when they are received again. */
export class Consensus {
  /** The newest output of the agent `producer`; waits for one. Throws SchemaMismatch, ConstraintViolated or HandoffDisputed. */
  async receive<T = Json>(producer: string, { schema, constraints, seen, key }: Asked<T> = {}): Promise<T> {
    const asked = { schema: schemaOf(schema), constraints: constraints as Json | undefined, seen: told(seen, `what was seen of ${producer}`), key };
    return await readAs(schema, await here().session.receive(producer, asked));
  }

  /** Hands `output` of the agent `producer` over to whoever receives it; returns it. Throws SchemaMismatch or ConstraintViolated, and then nobody receives it. */
  async broadcast<T>(producer: string, { output, schema, constraints, to, claims, key }: Told<T>): Promise<T> {
    const message = plain(output, `the output of ${producer}`);
    const sent = await here().session.handoff(producer, { output: message, schema: schemaOf(schema), constraints: constraints as Json | undefined, to, claims: told(claims, `the claims of ${producer}`), key });
    return sent === undefined ? output : await readAs(schema, sent);
  }
}

/**
 * What one agent hands to another: `const batches = new Handoff('extractor', { to: 'loader', schema: Batch })`, then
 * `await batches.send(batch, { claims: { records: 100 } })` and `await batches.receive({ seen: { records: rows.length } })`.
 */
export class Handoff<T = Json> {
  readonly #consensus = new Consensus();

  constructor(readonly sender: string, readonly options: Pick<Told<T>, 'to' | 'schema' | 'constraints'> = {}) {}

  /** Hands it over; returns it. */
  async send(output: T, more: Pick<Told<T>, 'claims' | 'key'> = {}): Promise<T> {
    return await this.#consensus.broadcast(this.sender, { ...this.options, ...more, output });
  }

  /** What was handed over; waits for it. */
  async receive(more: Pick<Asked<T>, 'seen' | 'key'> = {}): Promise<T> {
    return await this.#consensus.receive(this.sender, { schema: this.options.schema, ...more });
  }
}

const told = (members: Record<string, unknown> | undefined, place: string): Json | undefined => (members === undefined ? undefined : plain(members, place));
