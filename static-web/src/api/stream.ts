import { StreamReader } from '~/model/sse';
import { send } from './client';
import type { EventRecord } from './types';

export type StreamState = 'connecting' | 'live' | 'interrupted';

interface Follow {
  execution: string;
  /** Records after this one are asked for. */
  after: number;
  onRecord: (record: EventRecord) => void;
  onState: (state: StreamState) => void;
  signal: AbortSignal;
}

const firstWaitMs = 500;
const longestWaitMs = 15_000;

/**
 * Follows an execution's records until the signal aborts. `EventSource` cannot send an Authorization header, so this reads the
 * stream by fetch. A stream that ends (hosts may end it after a while) is taken up again with `Last-Event-ID`; one
 * that breaks is taken up again after a growing wait. A record is given out once even if the server repeats it.
 */
export async function followExecution(follow: Follow): Promise<void> {
  let last = follow.after;
  let waitMs = firstWaitMs;
  follow.onState('connecting');
  while (!follow.signal.aborted) {
    try {
      const response = await send(`/v1/executions/${encodeURIComponent(follow.execution)}/stream`, {
        headers: { Accept: 'text/event-stream', 'Last-Event-ID': String(last) },
        signal: follow.signal,
      });
      follow.onState('live');
      waitMs = firstWaitMs;
      for await (const record of records(response, follow.signal)) {
        if (record.seq <= last) continue;
        last = record.seq;
        follow.onRecord(record);
      }
    } catch {
      if (follow.signal.aborted) return;
      follow.onState('interrupted');
      waitMs = Math.min(waitMs * 2, longestWaitMs);
    }
    await pause(waitMs, follow.signal);
  }
}

async function* records(response: Response, signal: AbortSignal): AsyncGenerator<EventRecord> {
  if (!response.body) return;
  const reader = new StreamReader();
  const chunks = response.body.pipeThrough(new TextDecoderStream()).getReader();
  // Leaving the page must end a read that waits, also where the body does not end with the request.
  const stop = () => void chunks.cancel().catch(() => undefined);
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const { done, value } = await chunks.read();
      if (done) return;
      for (const message of reader.push(value)) {
        if (message.event === 'record') yield JSON.parse(message.data) as EventRecord;
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
