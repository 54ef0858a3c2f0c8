/** One run of a program under an execution: what it asks and tells, its leases, and what it undoes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { compensationOf } from './compensations.js';
import { here, type Context, type Scope } from './context.js';
import { failureOf, LeaseLost, NeedsPerson, OmiumError, stepFailed, type RecordedFailure } from './errors.js';
import type { ExecutionView, Json, TraceOperationRequest, TraceResult, TraceUndo, TraceView } from './generated.js';
import { disown, isGone, newOwner } from './process.js';
import type { Transport } from './transport.js';
import { decode, plain } from './values.js';

const ID = /^exe_[0-9a-hjkmnp-tv-z]{26}$/;
const NAME = /^[A-Za-z0-9_:-](?:[A-Za-z0-9_: -]{0,98}[A-Za-z0-9_:-])?$/;
const SETTLES = new Set(['finish', 'fail', 'verified']);
const WAIT_MS = 20_000;
const SERVER_PATIENCE_MS = 60_000;
const WAIT_AGAIN_MS = 250;
const WAIT_AGAIN_MS_MAX = 1_000;
const AT_ONCE_MS = 5; // What is done in this time needs no lease.

/** How a session behaves. */
export interface Options {
  /** How long a step stays this process's own without a sign of life; default 30,000. A program that computes longer without an await gives no sign of life. */
  leaseMs?: number;
  /** How long a person is waited for; default: as long as it takes. */
  waitForPersonMs?: number;
  /** Recovery policy of an execution that is started; default the tenant's. */
  recovery?: Json;
}

/** The program has to begin anew from its start: what is recorded answers. No error of the program's: whoever catches it is asked nothing more. */
export class Restart {
  readonly message = 'what the program did was taken back: it begins anew';
}

/** A step that was asked for. */
export interface Step {
  name: string;
  key: string;
  state: TraceResult['state'];
  sid?: string;
  idempotencyKey?: string;
  output?: Json;
  /** The call that it is; its code runs within it. */
  call: symbol;
  /** Of a step that runs before it was begun: how it is begun, and recorded. */
  ahead?: { begin: TraceOperationRequest; timer: NodeJS.Timeout; leased?: Promise<void>; isLate?: boolean };
}

/** What a step is, as it is declared. */
export interface Declared extends Pick<TraceOperationRequest, 'kind' | 'input' | 'schema' | 'constraints' | 'effect' | 'compensate' | 'idempotency_key' | 'approval' | 'amount_usd'> {
  key?: string;
}

/** A process at work on an execution. */
export class Session {
  execution = '';
  status: ExecutionView['status'] | '' = '';
  output: Json | undefined;
  /** The run of the program, counted from 1. */
  run = 1;
  readonly owner: string;
  readonly #scope: Scope = { prefix: '', counts: new Map() };
  readonly #asking = new Map<string, symbol[]>();
  readonly #held = new Set<string>();
  readonly #ended = new AbortController();
  #isTakenBack = false;
  #isNew = false;
  #epoch: number | undefined;
  #undoing: Promise<boolean> | undefined;
  #heart: NodeJS.Timeout | undefined;
  #released: (() => void) | undefined;
  #told = '';
  #waitingSince: number | undefined;

  constructor(readonly transport: Transport, readonly name: string, readonly options: Options = {}, owner?: string) {
    this.owner = owner ?? newOwner();
  }

  // ---- the execution ------------------------------------------------------------------------------------------------

  /** Starts the execution, or goes on with the one that the id or key means. */
  async start(executionId?: string, key?: string, input?: unknown): Promise<void> {
    checkName(this.name, 'the execution');
    const trace = { owner: this.owner, lease_ms: this.#leaseMs, operations: [] };
    const body = executionId !== undefined && ID.test(executionId)
      ? { mode: 'traced', id: executionId, trace }
      : { mode: 'traced', name: this.name, start_key: key ?? executionId, input: input === undefined ? undefined : plain(input, 'the input'), recovery: this.options.recovery, trace };
    const { status, value: answer } = await this.transport.exchange<ExecutionView>('POST', '/v1/executions', body, { patienceMs: key ?? executionId ? SERVER_PATIENCE_MS / 30 : 0 });
    this.execution = answer.id;
    this.#isNew = status === 201;
    this.#epoch = answer.trace!.epoch;
    this.#take(answer.trace!);
  }

  /** The program has ended. */
  async complete(output: Json, error?: unknown): Promise<void> {
    const operation: TraceOperationRequest = error === undefined ? { do: 'complete', output } : { do: 'complete', failure: failureOf(error) };
    for (let result = await this.#ask(operation); result.state === 'wait'; result = await this.#ask(operation)) {
      await this.#wait(result, this.name);
      if (this.#isTakenBack) throw new Restart();
    }
    this.close();
  }

  /** Ends the heartbeats; leases that are held run out by themselves. */
  close(): void {
    clearInterval(this.#heart);
    this.#ended.abort();
    disown(this.owner);
  }

  /** Before the program runs: what is to be undone is, and a pause is waited for. */
  async ready(): Promise<void> {
    if (this.status === 'paused' || this.status === 'rolling_back') await this.beginAnew();
  }

  /** Before what stands is read: whoever goes on from that has not missed what was taken back before. */
  async catchUp(): Promise<void> {
    this.#epoch = (await this.#send([{ do: 'attach' }])).epoch;
  }

  /** True when the program has to begin anew, whatever it says itself. */
  get isTakenBack(): boolean {
    return this.#isTakenBack;
  }

  /** Before the program is run again from its start. What the last run has still under way ends first, or its lease does. */
  async beginAnew(): Promise<void> {
    this.#isTakenBack = true;
    if (this.#held.size > 0) await Promise.race([new Promise<void>((resolve) => (this.#released = resolve)), sleep(this.#leaseMs, undefined, { ref: false })]);
    this.run++;
    this.#scope.counts.clear();
    this.#asking.clear();
    this.#held.clear();
    this.#waitingSince = undefined;
    this.#epoch = undefined; // Until it is known what it begins with.
    for (;;) {
      const answer = await this.#send([{ do: 'attach' }]);
      if (answer.status !== 'paused' && answer.status !== 'rolling_back') {
        this.#epoch = answer.epoch;
        this.#isTakenBack = false;
        return;
      }
      if (!(await this.#undo(answer.undo))) await this.#wait({ state: 'wait', reason: answer.status, review: await this.#review() }, this.name);
    }
  }

  // ---- steps --------------------------------------------------------------------------------------------------------

  /** Asks for a step until it may run or is answered; waits while another process or a person has the word. */
  async begin(name: string, { key, ...declared }: Declared = {}): Promise<Step> {
    checkName(name, 'the step');
    const context = this.#context();
    const asked = this.#call(name, key, context);
    const operation: TraceOperationRequest = { do: 'begin', name, key: asked.key, agent: context.agent, kind: 'checkpoint', ...declared };
    if (operation.kind === 'checkpoint' && this.#isNew && this.run === 1 && this.status === 'running') return this.#ahead(operation, asked.call);
    try {
      const result = await this.#answered(operation, name);
      if (result.state === 'run' || result.state === 'verify') {
        this.#hold(result.sid!);
        return { name, key: asked.key, state: result.state, sid: result.sid!, idempotencyKey: result.idempotency_key, call: asked.call };
      }
      if (result.state === 'failed' || (result.state === 'replay' && result.failure)) throw stepFailed(name, result.failure ?? {});
      this.#leave(asked.call);
      return { name, key: asked.key, state: result.state, output: result.output, call: asked.call };
    } catch (error) {
      this.#leave(asked.call);
      throw error;
    }
  }

  /** Records the output of a step that ran; gives what stands, which is another's output if that one was faster. Throws StepFailed when it does not meet its checks. */
  async finish(step: Step, output: Json): Promise<Json | undefined> {
    await this.#caughtUp(step);
    const isLeased = step.sid !== undefined;
    if (step.ahead?.isLate || (this.#isTakenBack && !isLeased)) {
      this.#leave(step.call);
      throw this.#takenBack(); // It was never begun: what it is made of may have been taken back.
    }
    const result = await this.#settle(step, isLeased ? { do: 'finish', sid: step.sid, output } : { ...step.ahead!.begin, do: 'record', output });
    if (result.state === 'failed' || result.failure) throw stepFailed(step.name, result.failure ?? {});
    return result.state === 'replay' ? result.output : output;
  }

  /** Records that a step failed. Comes back when the error is to go on its way; begins anew where the policy says so. */
  async fail(step: Step, error: unknown, mayHaveHappened?: boolean): Promise<void> {
    await this.#caughtUp(step);
    if (step.sid === undefined) await this.#lease(step);
    if (step.sid === undefined) {
      this.#leave(step.call);
      throw this.#takenBack(); // Another process does it, or nothing may run now.
    }
    await this.#settle(step, { do: 'fail', sid: step.sid, failure: { ...failureOf(error), may_have_happened: mayHaveHappened } });
  }

  /** Tells whether a transaction in doubt happened. The step is then asked for again, under the same key. */
  async verified(step: Step, status: 'done' | 'not_done' | 'unknown', output?: Json): Promise<void> {
    this.#release(step);
    await this.#ask({ do: 'verified', sid: step.sid, status, output });
  }

  /** Begins and finishes a step in one: what stands there already, stays. */
  async record(name: string, key: string, output: Json): Promise<void> {
    const result = await this.#answered({ do: 'record', name: checkName(name, 'the step'), key: checkName(key, `the key of ${name}`), output }, name);
    if (result.state === 'failed') throw stepFailed(name, result.failure ?? {});
  }

  /** Records a message; throws when it breaks its schema or constraints. */
  async handoff(from: string, told: Pick<TraceOperationRequest, 'output' | 'schema' | 'constraints' | 'to' | 'claims' | 'key'>): Promise<Json | undefined> {
    return await this.#message({ do: 'handoff', from, ...told }, from);
  }

  /** The newest message of an agent; waits for one. */
  async receive(from: string, asked: Pick<TraceOperationRequest, 'schema' | 'constraints' | 'seen' | 'key'>): Promise<Json | undefined> {
    return await this.#message({ do: 'receive', from, agent: here().agent, ...asked }, from);
  }

  // ---- within -------------------------------------------------------------------------------------------------------

  get #leaseMs(): number {
    return this.options.leaseMs ?? 30_000;
  }

  /** Where the caller belongs; code of an earlier run, or after what it did was taken back, is told to begin anew. */
  #context(): Context {
    const context = here();
    if (this.#isTakenBack || context.run !== this.run) throw new Restart();
    return context;
  }

  /** The caller's key, or the number of this call of the name. */
  #call(name: string, key: string | undefined, context: Context): { key: string; call: symbol } {
    const call = Symbol(name);
    if (key !== undefined) return { key: checkName(key, `the key of ${name}`), call };
    const { prefix, counts } = context.scope ?? this.#scope;
    const place = prefix + name;
    const under = this.#asking.get(place) ?? [];
    if (under.some((other) => !context.calls.includes(other))) {
      throw new OmiumError(`'${name}' is called twice at a time, and nothing says which is which when the program is started again: give each call a key`, 'key_needed');
    }
    this.#asking.set(place, [...under, call]);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return { key: `${prefix}${count}`, call };
  }

  /** The call is over. */
  #leave(call: symbol): void {
    for (const [place, calls] of this.#asking) {
      if (!calls.includes(call)) continue;
      if (calls.length > 1) this.#asking.set(place, calls.filter((other) => other !== call));
      else this.#asking.delete(place);
    }
  }

  /**
   * A checkpoint of an execution that began with this process and is still on its first run: nothing answers it, so that it runs at once and costs one request, with its
   * output. One that takes its time is begun meanwhile, so that it is seen and held.
   */
  #ahead(begin: TraceOperationRequest, call: symbol): Step {
    const step: Step = { name: begin.name!, key: begin.key!, state: 'run', call };
    const timer = setTimeout(() => (step.ahead!.leased = this.#lease(step).catch(() => undefined)), AT_ONCE_MS); // What it comes to is asked again when the step is told.
    step.ahead = { begin, timer };
    return step;
  }

  async #lease(step: Step): Promise<void> {
    const result = await this.#ask(step.ahead!.begin, 0);
    if (result.state === 'wait') step.ahead!.isLate = true;
    if (result.state !== 'run') return;
    step.sid = result.sid;
    this.#hold(result.sid!);
  }

  async #caughtUp(step: Step): Promise<void> {
    clearTimeout(step.ahead?.timer);
    await step.ahead?.leased;
  }

  async #message(operation: TraceOperationRequest, agent: string): Promise<Json | undefined> {
    checkName(agent, 'the agent');
    const name = `${operation.do}:${agent}`;
    const asked = this.#call(name, operation.key ?? undefined, this.#context());
    try {
      const result = await this.#answered({ ...operation, key: asked.key }, agent);
      if (result.state === 'failed' || result.failure) throw stepFailed(agent, result.failure ?? {});
      return result.output;
    } finally {
      this.#leave(asked.call);
    }
  }

  async #answered(operation: TraceOperationRequest, name: string): Promise<TraceResult> {
    for (;;) {
      const result = await this.#ask(operation);
      if (result.state !== 'wait' && result.state !== 'busy') {
        this.#waitingSince = undefined;
        return result;
      }
      await this.#wait(result, name);
      if (this.#isTakenBack || result.reason === 'paused' || result.reason === 'rolling_back') throw this.#takenBack(); // What it was may have been taken back meanwhile.
    }
  }

  async #settle(step: Step, operation: TraceOperationRequest): Promise<TraceResult> {
    let result: TraceResult;
    try {
      result = await this.#ask(operation);
    } catch (error) {
      if (error instanceof LeaseLost) throw this.#takenBack();
      throw error;
    } finally {
      this.#release(step);
      this.#leave(step.call);
    }
    if (result.state === 'wait' || result.state === 'busy') {
      await this.#wait(result, step.name);
      throw this.#takenBack();
    }
    if (result.state === 'retry' || result.state === 'rolled_back' || result.state === 'skipped') {
      await this.#pause(result.retry_after_ms ?? 0);
      throw this.#takenBack();
    }
    return result;
  }

  #takenBack(): Restart {
    this.#isTakenBack = true;
    return new Restart();
  }

  async #ask(operation: TraceOperationRequest, waitMs = Math.min(WAIT_MS, this.options.waitForPersonMs ?? WAIT_MS)): Promise<TraceResult> {
    try {
      let answer = await this.#send([operation], waitMs);
      while (await this.#undo(answer.undo)) answer = await this.#send([operation], waitMs);
      return answer.results[0]!;
    } catch (error) {
      if (error instanceof LeaseLost && !SETTLES.has(operation.do!)) throw this.#takenBack(); // Something was taken back between two requests.
      throw error;
    }
  }

  async #send(operations: TraceOperationRequest[], waitMs = 0): Promise<TraceView> {
    const body = { owner: this.owner, lease_ms: this.#leaseMs, wait_ms: waitMs, epoch: this.#epoch, operations };
    const answer = await this.transport.request<TraceView>('POST', `/v1/executions/${this.execution}/trace`, body, { patienceMs: SERVER_PATIENCE_MS });
    this.#take(answer);
    return answer;
  }

  #take(answer: TraceView): void {
    this.status = answer.status as ExecutionView['status'];
    if (this.status === 'succeeded') this.output = answer.output;
    if (this.status === 'rolling_back') this.#isTakenBack = true;
  }

  async #wait(result: TraceResult, name: string): Promise<void> {
    if (result.state === 'busy' && result.owner !== undefined && isGone(result.owner)) {
      await this.#send([{ do: 'lost', gone: result.owner }]);
      return;
    }
    const { review, reason } = result;
    if (review !== undefined) this.#say(review, `${name} waits for a person: review ${review} (${this.transport.settings.url}/reviews, or 'omium approve ${review}')`);
    if (reason === 'credits') this.#say(reason, `${name} waits for credits: there are none left (${this.transport.settings.url}/billing, or 'omium billing top-up'); it goes on when there are`);
    const limitMs = this.options.waitForPersonMs;
    if (limitMs !== undefined && (reason === 'review' || reason === 'paused')) {
      this.#waitingSince ??= performance.now();
      if (performance.now() - this.#waitingSince >= limitMs) {
        throw new NeedsPerson(`${name} waits for a person: decide it with 'omium approve ${review ?? this.execution}', then start the program again with ${this.execution}`, review);
      }
    }
    await this.#pause(Math.min(result.retry_after_ms ?? WAIT_AGAIN_MS, WAIT_AGAIN_MS_MAX));
  }

  async #pause(waitMs: number): Promise<void> {
    await sleep(waitMs, undefined, { signal: this.#ended.signal }).catch(() => undefined);
  }

  #say(about: string, line: string): void {
    if (this.#told === about) return;
    this.#told = about;
    process.stderr.write(`omium: ${line}\n`);
  }

  async #review(): Promise<string | undefined> {
    return (await this.transport.request<ExecutionView>('GET', `/v1/executions/${this.execution}`)).open_reviews[0];
  }

  /** Runs the compensation that is due, when this process knows how. True when one ran; one at a time. */
  async #undo(due: TraceUndo | undefined): Promise<boolean> {
    if (due === undefined || due.retry_after_ms) return false;
    this.#undoing ??= this.#compensate(due).finally(() => (this.#undoing = undefined));
    return await this.#undoing;
  }

  async #compensate(due: TraceUndo): Promise<boolean> {
    const undo = compensationOf(due.compensate);
    if (undo === undefined) {
      this.#say(due.effect_id, `${due.name} is to be undone and this program does not know '${due.compensate}': register it with compensation('${due.compensate}', ...)`);
      return false;
    }
    const leased = await this.#send([{ do: 'undo', effect_id: due.effect_id }]);
    if (leased.results[0]?.state !== 'run') return false;
    this.#hold(due.effect_id);
    let failure: (RecordedFailure & { message: string; permanent: boolean }) | undefined;
    try {
      await undo({ output: decode(due.output), input: decode(due.input), idempotencyKey: due.idempotency_key });
    } catch (error) {
      failure = { ...failureOf(error), permanent: false }; // Told, and tried again later or left to a person.
    }
    this.#held.delete(due.effect_id);
    await this.#send([{ do: 'undone', effect_id: due.effect_id, attempt: due.attempt, failure }]);
    return true;
  }

  #hold(lease: string): void {
    this.#held.add(lease);
    this.#heart ??= setInterval(() => void this.#beat(), this.#leaseMs / 3).unref();
  }

  #release(step: Step): void {
    this.#held.delete(step.sid ?? '');
    if (this.#held.size === 0) this.#released?.();
  }

  async #beat(): Promise<void> {
    if (this.#held.size === 0) return;
    await this.#send([{ do: 'renew' }]).catch(() => undefined); // Whoever works hears of it: the lease runs out, and what is told is refused.
  }
}

/** Names are those that every language, address and file name can carry. */
export function checkName(name: string, what: string): string {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new OmiumError(`${what} cannot be called ${JSON.stringify(name)}: a name has 1 to 100 letters, digits, '_', ':', '-' and inner spaces`, 'invalid_name');
  }
  return name;
}
