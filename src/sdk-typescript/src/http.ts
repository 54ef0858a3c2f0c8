/** One request over connections that are kept, by Node's own client: a step of a program costs one, and fetch costs several times as much. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** What came back, whole. */
export interface Reply {
  status: number;
  /** A header; undefined when it is absent. name: in lower case. */
  header: (name: string) => string | undefined;
  text: string;
}

export interface Sent {
  method: string;
  headers: Record<string, string>;
  body?: string;
  timeoutMs: number;
  signal?: AbortSignal;
}

/** Sends one request and reads its answer to the end. */
export type Send = (path: string, sent: Sent) => Promise<Reply>;

const agents = { http: new HttpAgent({ keepAlive: true, maxSockets: Infinity }), https: new HttpsAgent({ keepAlive: true, maxSockets: Infinity }) };

/** Requests to an address, over connections that this process keeps. */
export function sendTo(address: string): Send {
  const { protocol, hostname, port, pathname } = new URL(address);
  const isSecure = protocol === 'https:';
  const base: RequestOptions = { hostname: hostname.replace(/^\[|\]$/g, ''), port: port || (isSecure ? 443 : 80), agent: isSecure ? agents.https : agents.http };
  const prefix = pathname.replace(/\/$/, '');
  const request = isSecure ? httpsRequest : httpRequest;

  const send = async (path: string, { method, headers, body, timeoutMs, signal }: Sent): Promise<Reply> => await new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const asked = request({ ...base, method, path: prefix + path, headers: { ...headers, ...length }, timeout: timeoutMs, signal }, (answer) => read(answer, resolve, reject));
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    asked.once('error', (error: NodeJS.ErrnoException) => {
      // Closed by the server while nobody used it: this says nothing about the server.
      if (asked.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE') && !signal?.aborted) resolve(send(path, { method, headers, body, timeoutMs, signal }));
      else reject(error);
    });
    asked.end(body);
  });
  return send;
}

/** The same by a fetch that the caller brings. */
export function sendBy(fetcher: typeof fetch, address: string): Send {
  return async (path, { timeoutMs, signal, ...sent }) => {
    const limit = AbortSignal.timeout(timeoutMs);
    const answer = await fetcher(address + path, { ...sent, redirect: 'error', signal: signal ? AbortSignal.any([limit, signal]) : limit });
    return { status: answer.status, header: (name) => answer.headers.get(name) ?? undefined, text: answer.status === 304 ? '' : await answer.text() };
  };
}

function read(answer: IncomingMessage, resolve: (reply: Reply) => void, reject: (error: Error) => void): void {
  let text = '';
  answer.setEncoding('utf8');
  answer.on('data', (piece: string) => (text += piece));
  answer.once('end', () => resolve({ status: answer.statusCode!, header: (name) => headerOf(answer, name), text }));
  answer.once('error', reject);
}

function headerOf(answer: IncomingMessage, name: string): string | undefined {
  const found = answer.headers[name];
  return Array.isArray(found) ? found.join(', ') : found;
}
