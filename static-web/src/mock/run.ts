import type { EventRecord, ExecutionView, Json, LoggedEvent, Severity, StepStatus, StepType, StepView, TimelineEntry } from '~/api/types';

interface Line {
  kind: string;
  severity: Severity;
  title: string;
  step?: string;
  detail?: string;
}

/** One execution of the mock server: its records, and the view that each record left. */
export class MockRun {
  readonly records: EventRecord[] = [];
  readonly states: ExecutionView[] = [];
  readonly timeline: TimelineEntry[] = [];
  readonly view: ExecutionView;
  #at: number;
  #listeners = new Set<(record: EventRecord) => void>();

  constructor(id: string, workflow: string, version: number, startedAt: number, input: Json) {
    this.#at = startedAt;
    const at = new Date(startedAt).toISOString();
    this.view = { id, workflow, workflow_version: version, status: 'queued', seq: 0, created_at: at, updated_at: at, input, steps: [], steps_omitted: 0, open_reviews: [], undelivered_notifications: [] };
  }

  get now(): string {
    return new Date(this.#at).toISOString();
  }

  /** Moves this run's clock: by a number of milliseconds, or to the real time. */
  wait(ms: number): this {
    this.#at += ms;
    return this;
  }

  catchUp(): this {
    this.#at = Math.max(this.#at + 1, Date.now());
    return this;
  }

  append(command: string, events: LoggedEvent[], lines: Line[], change: (view: ExecutionView) => void): void {
    const at = this.now;
    change(this.view);
    this.view.seq = this.records.length + 1;
    this.view.updated_at = at;
    const record: EventRecord = { seq: this.view.seq, at, command, kernel: 1, events, hash: fakeHash(`${this.view.id}/${this.view.seq}`) };
    this.records.push(record);
    this.states.push(structuredClone(this.view));
    for (const line of lines) this.timeline.push({ seq: record.seq, at, ...line });
    for (const listener of this.#listeners) listener(record);
  }

  follow(listener: (record: EventRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  step(name: string, visit = 1): StepView {
    return this.view.steps.find((step) => step.step === name && step.visit === visit)!;
  }

  schedule(name: string, type: StepType, actor: string, input: Json, reads: string[] = [], visit = 1): (view: ExecutionView) => void {
    return (view) => {
      view.status = 'running';
      view.steps.push({
        step: name, visit, attempt: 1, type, actor, status: 'running', scheduled_at: this.now, input,
        reads: reads.map((step) => ({ step, visit: 1 })), calls: [], failures: [],
      });
    };
  }

  settle(name: string, status: StepStatus, output?: Json, checkpoint?: string, visit = 1): void {
    const step = this.step(name, visit);
    step.status = status;
    step.settled_at = this.now;
    if (output !== undefined) step.output = output;
    if (checkpoint) step.checkpoint = checkpoint;
  }
}

/** Looks like a digest, and is the same each time for the same text. */
export function fakeHash(text: string): string {
  let hash = 2166136261;
  let out = '';
  for (let round = 0; out.length < 64; round++) {
    for (const character of `${round}${text}`) hash = Math.imul(hash ^ character.charCodeAt(0), 16777619) >>> 0;
    out += hash.toString(16).padStart(8, '0');
  }
  return out;
}
