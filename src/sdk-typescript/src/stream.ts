/** An execution's records as they are written: server-sent events that are taken up again with Last-Event-ID. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ServerUnreachable } from './errors.js';
import type { EventRecord, Json } from './generated.js';
import type { Transport } from './transport.js';

const WAIT_MS = 100;
const WAIT_MS_MAX = 15_000;
const ENDS = new Set(['execution.succeeded', 'execution.failed', 'execution.cancelled']);

export interface StreamOptions {
  /** Records after this one; default 0, from the beginning. */
  after?: number;
  /** Ends the stream. */
  signal?: AbortSignal;
  /** How long the server may be away before ServerUnreachable is thrown; default 60,000. */
  patienceMs?: number;
}

/** A record, or a piece of a model's answer that is still coming. */
export type StreamEvent = { type: 'record'; record: EventRecord } | { type: 'delta'; delta: Json };

/** The events of an execution, each record once and in order, until it has ended. */
export async function* follow(transport: Transport, execution: string, { after = 0, signal, patienceMs = 60_000 }: StreamOptions): AsyncGenerator<StreamEvent> {
  let last = after;
  let since = performance.now();
  for (let waitMs = WAIT_MS; !signal?.aborted; waitMs = Math.min(waitMs * 2, WAIT_MS_MAX)) {
    try {
      const response = await transport.open(`${execution}/stream`, { Accept: 'text/event-stream', 'Last-Event-ID': String(last) }, signal);
      for await (const message of messages(response, signal)) {
        [since, waitMs] = [performance.now(), WAIT_MS];
        if (message.event === 'delta') yield { type: 'delta', delta: JSON.parse(message.data) as Json };
        if (message.event !== 'record') continue;
        const record = JSON.parse(message.data) as EventRecord;
        if (record.seq <= last) continue;
        last = record.seq;
        yield { type: 'record', record };
        if (record.events.some((event) => ENDS.has(String((event as { type?: string }).type)))) return;
      }
    } catch (error) {
      if (signal?.aborted) return;
      const isBusy = error instanceof ApiError && (error.status === 429 || error.status === 503);
      const isBreak = isBusy || error instanceof ServerUnreachable || error instanceof TypeError; // A body that breaks off is a TypeError of fetch.
      if (!isBreak || performance.now() - since > patienceMs) throw error;
    }
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  }
}

interface Message {
  event: string;
  data: string;
}

/** The messages of a body, as the standard writes them. */
async function* messages(response: Response, signal: AbortSignal | undefined): AsyncGenerator<Message> {
  let [event, data, rest] = ['message', [] as string[], ''];
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream()) as unknown as AsyncIterable<string>) {
    if (signal?.aborted) return;
    const lines = (rest + piece).split('\n');
    rest = lines.pop()!;
    for (const line of lines.map((told) => (told.endsWith('\r') ? told.slice(0, -1) : told))) {
      if (line === '') {
        if (data.length > 0) yield { event, data: data.join('\n') };
        [event, data] = ['message', []];
        continue;
      }
      const [field, value] = fieldOf(line);
      if (field === 'event') event = value;
      if (field === 'data') data.push(value);
    }
  }
}

function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(':');
  if (colon < 0) return [line, ''];
  const value = line.slice(colon + 1);
  return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value];
}
