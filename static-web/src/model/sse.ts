/** One message of an event stream (WHATWG HTML, section 9.2.6). */
export interface StreamMessage {
  event: string;
  data: string;
  /** The last id seen, which a reconnect sends back as `Last-Event-ID`. */
  id: string | undefined;
}

/**
 * Incremental reader of `text/event-stream`. Chunks may end anywhere, inside a line or between CR and LF;
 * a message is given out when its blank line is in. Comments (lines that begin with a colon) keep a connection warm
 * and carry nothing.
 */
export class StreamReader {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #id: string | undefined;

  push(chunk: string): StreamMessage[] {
    const text = this.#rest + chunk;
    const messages: StreamMessage[] = [];
    let start = 0;
    for (;;) {
      const end = lineEnd(text, start);
      if (end === undefined) break;
      const message = this.#line(text.slice(start, end.at));
      if (message) messages.push(message);
      start = end.next;
    }
    this.#rest = text.slice(start);
    return messages;
  }

  #line(line: string): StreamMessage | undefined {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    return undefined;
  }

  #dispatch(): StreamMessage | undefined {
    const message = this.#data.length === 0
      ? undefined
      : { event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id };
    this.#event = '';
    this.#data = [];
    return message;
  }
}

/** A line ends with LF, CR LF or CR; a CR at the very end may be half of a CR LF, so it waits for what follows. */
function lineEnd(text: string, from: number): { at: number; next: number } | undefined {
  for (let index = from; index < text.length; index++) {
    if (text[index] === '\n') return { at: index, next: index + 1 };
    if (text[index] === '\r') {
      if (index + 1 === text.length) return undefined;
      return { at: index, next: text[index + 1] === '\n' ? index + 2 : index + 1 };
    }
  }
  return undefined;
}
