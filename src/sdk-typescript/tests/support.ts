/** What the tests share: the server in the environment, programs in processes of their own, and waiting for what happens elsewhere. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, inject, vi } from 'vitest';
import type { OmiumError } from '../src/index.js';

/** The environment points at the server of this run, and no configuration of this machine is read; without a built omium the tests are skipped. */
export function useServer(): { folder: string } {
  const place = { folder: '' };
  beforeEach((context) => {
    const server = inject('server');
    if (server === null) {
      Object.assign(context.task.meta, { reason: 'OMIUM_BINARY names no built omium' });
      context.skip('OMIUM_BINARY names no built omium');
      return;
    }
    place.folder = mkdtempSync(join(tmpdir(), 'omium-test-'));
    vi.stubEnv('OMIUM_BASE_URL', server.url);
    vi.stubEnv('OMIUM_API_KEY', server.key);
    vi.stubEnv('XDG_CONFIG_HOME', place.folder);
    vi.stubEnv('OMIUM_EXECUTION_ID', undefined);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    if (place.folder) rmSync(place.folder, { recursive: true, force: true });
  });
  return place;
}

/** An execution key, or a name, that nothing else uses. */
export const fresh = (prefix = 'run'): string => `${prefix}-${randomUUID().slice(0, 13)}`;

/** The condition's answer once there is one; polled, because what is waited for happens in another process. */
export async function until<T>(condition: () => T | Promise<T>, limitMs = 30_000): Promise<NonNullable<T>> {
  for (const end = performance.now() + limitMs; ; await sleep(10)) {
    const found = await condition();
    if (found) return found;
    if (performance.now() > end) throw new Error(`did not come within ${limitMs} ms`);
  }
}

/** What is thrown: an error of the kind, of one line, that holds the words. */
export async function line<E extends OmiumError>(kind: abstract new (...given: never[]) => E, call: () => unknown, ...words: string[]): Promise<E> {
  const error: unknown = await Promise.resolve().then(call).then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(kind);
  const { message } = error as E;
  expect(message.split('\n')).toHaveLength(1);
  for (const word of words) expect(message).toContain(word);
  return error as E;
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
  errors: string;
}

/** A program of tests/programs, on the package as it is shipped. */
export class Program {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  output = '';

  constructor(name: string, environment: Record<string, string>) {
    const path = fileURLToPath(new URL(`programs/${name}`, import.meta.url));
    this.process = spawn(process.execPath, [path], { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    this.process.stdout!.on('data', (piece: Buffer) => (this.output += piece.toString()));
    this.process.stderr!.on('data', (piece: Buffer) => (errors += piece.toString()));
    this.ended = new Promise((resolve) => this.process.once('close', (code, signal) => resolve({ code, signal, output: this.output, errors })));
  }

  /** Waits until it has written a text, or has ended. */
  async says(text: string): Promise<void> {
    let isOver = false;
    void this.ended.then(() => (isOver = true));
    await until(() => isOver || this.output.includes(text));
  }

  /** kill -9, unless it ends before. */
  async kill(afterMs: number): Promise<Ended> {
    const timer = setTimeout(() => this.process.kill('SIGKILL'), afterMs);
    const ended = await this.ended;
    clearTimeout(timer);
    return ended;
  }
}

/** The lines of a file; none when it is not there. */
export const linesOf = (path: string): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter((text) => text !== '') : []);

/** Random numbers from 0 to 1 that a seed repeats (mulberry32). */
export function draws(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
