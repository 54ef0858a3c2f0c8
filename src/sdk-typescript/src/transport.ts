/** Requests, sent again where that does no harm, with what the server refuses as errors of one line. */
import { setTimeout as sleep } from 'node:timers/promises';
import { settings, type Settings } from './config.js';
import { ApiError, Changed, CreditsExhausted, LeaseLost, NotAllowed, ReplayMismatch, ServerUnreachable } from './errors.js';
import { sendBy, sendTo, type Reply, type Send } from './http.js';

const LIMITED_MS = 60_000; // How long a request waits in all when the server takes no more for now.
const RETRY_WAIT_MS = 50;
const RETRY_WAIT_MS_MAX = 1_000;

/** Where the server is, and how it is spoken to. */
export interface Connection {
  /** Default: OMIUM_BASE_URL, the configuration file, `omium dev` on this machine. */
  url?: string;
  /** Default: OMIUM_API_KEY, the configuration file, the key that `omium dev` made. */
  apiKey?: string;
  /** How long an answer may take; default 90,000, more than the longest wait that the server grants. */
  timeoutMs?: number;
  /** Sends the requests, such as through a proxy; default Node's own client over connections that are kept. */
  fetch?: typeof fetch;
}

export interface RequestOptions {
  headers?: Record<string, string>;
  /** How long to try again while nothing answers; default 0. For requests that do no harm when they are sent twice. */
  patienceMs?: number;
  signal?: AbortSignal;
}

/** An answer: its JSON (undefined when it has no body) and what stands beside it. */
export interface Answer<T> {
  status: number;
  value: T;
  etag: string | undefined;
}

/** Sends JSON and gives JSON back. */
export class Transport {
  readonly settings: Settings;
  readonly #timeoutMs: number;
  readonly #fetch: typeof fetch;
  readonly #send: Send;

  constructor(connection: Connection = {}) {
    this.settings = settings(connection.url, connection.apiKey);
    this.#timeoutMs = connection.timeoutMs ?? 90_000;
    this.#fetch = connection.fetch ?? fetch;
    this.#send = connection.fetch === undefined ? sendTo(this.settings.url) : sendBy(connection.fetch, this.settings.url);
  }

  /** The answer's JSON; undefined when it has no body. */
  async request<T>(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<T> {
    return (await this.exchange<T>(method, path, body, options)).value;
  }

  /** The answer with its status and ETag. */
  async exchange<T>(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<Answer<T>> {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string> = { Authorization: `Bearer ${this.settings.key}`, Accept: 'application/json', ...options.headers };
    if (content !== undefined) headers['Content-Type'] = 'application/json';
    const sent = { method, headers, body: content, timeoutMs: this.#timeoutMs, signal: options.signal };
    const { status, text, header } = await this.#patiently(async () => await this.#send(path, sent), options);
    if (status >= 400) throw this.#refusal(status, text);
    return { status, value: (text ? JSON.parse(text) : undefined) as T, etag: header('etag') };
  }

  /** An answer whose body is read as it comes; no time limit. */
  async open(path: string, headers: Record<string, string>, signal?: AbortSignal): Promise<Response> {
    const response = await this.#fetch(this.settings.url + path, { headers: { Authorization: `Bearer ${this.settings.key}`, ...headers }, redirect: 'error', signal }).catch((error: unknown) => {
      throw signal?.aborted ? error : this.#unreachable(error);
    });
    if (response.status >= 400) throw this.#refusal(response.status, await response.text());
    return response;
  }

  async #patiently(send: () => Promise<Reply>, options: RequestOptions): Promise<Reply> {
    const until = performance.now() + (options.patienceMs ?? 0);
    const limitedUntil = performance.now() + LIMITED_MS;
    for (let waitMs = RETRY_WAIT_MS; ; waitMs = Math.min(waitMs * 2, RETRY_WAIT_MS_MAX)) {
      let reply: Reply | undefined;
      try {
        reply = await send();
      } catch (error) {
        if (options.signal?.aborted) throw error;
        if (performance.now() >= until) throw this.#unreachable(error);
      }
      if (reply !== undefined) {
        const retryAfterMs = Number(reply.header('retry-after') ?? 1) * 1_000;
        if (reply.status === 429 && performance.now() + retryAfterMs < limitedUntil) {
          await sleep(retryAfterMs, undefined, { signal: options.signal }); // Nothing was done: the server says when it will take more.
          continue;
        }
        if ((reply.status !== 429 && reply.status !== 503) || performance.now() >= until) return reply;
      }
      await sleep(waitMs, undefined, { signal: options.signal });
    }
  }

  #unreachable(error: unknown): ServerUnreachable {
    const cause = (error as { cause?: NodeJS.ErrnoException }).cause ?? (error as NodeJS.ErrnoException);
    const why = cause.code ?? cause.message;
    return new ServerUnreachable(`no Omium server answers at ${this.settings.url} (${why}): start one with 'omium dev', or set OMIUM_BASE_URL`);
  }

  #refusal(status: number, text: string): Error {
    const problem = problemOf(text);
    const code = typeof problem.code === 'string' ? problem.code : `http_${status}`;
    const told = String(problem.detail || problem.title || `${this.settings.url} answered ${status}`);
    const places = (Array.isArray(problem.errors) ? (problem.errors as { pointer?: string; message?: string }[]) : [])
      .filter((entry) => !told.includes(String(entry.message))).slice(0, 5).map((entry) => `${entry.pointer || '(whole)'}: ${entry.message}`);
    const line = [told, ...places].join('; ');
    if (status === 402) return new CreditsExhausted(`out of credits: top up, and it goes on (${line})`);
    if ((status === 401 || status === 403) && ['unauthenticated', 'forbidden', `http_${status}`].includes(code)) {
      return new NotAllowed(`the key is not accepted by ${this.settings.url}: run 'omium init' with a key that has not been revoked, or set OMIUM_API_KEY`, code);
    }
    const Kind = { replay_mismatch: ReplayMismatch, task_fenced: LeaseLost, precondition_failed: Changed }[code] ?? ApiError;
    return new Kind(line, code, status, problem);
  }
}

function problemOf(text: string): Record<string, unknown> {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null && !Array.isArray(read) ? (read as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
