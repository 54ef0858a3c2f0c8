import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { inject } from 'vitest';

const installed = inject('installation');
export const screenshots = fileURLToPath(new URL('../../artifacts/real/', import.meta.url));

/** Whether the real thing can be looked at here: the published program, the built console and a browser. */
export const isReal = installed !== undefined;

/** Polls until `read` answers something; for what happens outside the page. */
export async function until<T>(what: string, read: () => Promise<T | undefined | false>, withinMs = 30_000): Promise<T> {
  for (const giveUpAt = Date.now() + withinMs; ;) {
    const found = await read();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > giveUpAt) throw new Error(`Awaited for ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export interface Run {
  id: string;
  status: string;
  failure_id?: string;
  open_reviews: string[];
  steps: { step: string; visit: number; status: string }[];
}

export interface Task {
  id: string;
  kind: 'step' | 'handoff';
  from?: string;
  claims?: string[];
}

/** One tenant of the program that all browser tests share, and the browser that they share; the files of tests keep to names of their own. */
export class Installation {
  private constructor(private readonly browser: Browser, readonly url: string, readonly key: string, private readonly receiver: string) {}

  /** The tenant of the printed key. */
  static async connect(): Promise<Installation> {
    const { url, key, receiver, browser } = installed!;
    return new Installation(await chromium.connect(browser), url, key, receiver);
  }

  /** Lets go of the browser; program and browser go on for the other files. */
  async end(): Promise<void> {
    await this.browser.close();
  }

  /** A page in a profile of its own: nobody is signed in there. What breaks in it is in `errors`. */
  async open(path: string, look: { width?: number; height?: number; scheme?: 'light' | 'dark' } = {}): Promise<Visit> {
    const context = await this.browser.newContext({ viewport: { width: look.width ?? 1440, height: look.height ?? 900 }, colorScheme: look.scheme ?? 'light', reducedMotion: 'reduce' });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const visit = new Visit(page, this);
    await page.goto(this.url + path);
    return visit;
  }

  /** Signed in with a key. */
  openWithKey(path: string, look?: Parameters<Installation['open']>[1], key = this.key): Promise<Visit> {
    return this.open(`${path}#key=${key}`, look);
  }

  async api<T>(method: string, path: string, body?: unknown, key = this.key): Promise<{ status: number; body: T }> {
    const response = await fetch(this.url + path, { method, headers: { Authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as T };
  }

  async save(spec: unknown): Promise<void> {
    const { status, body } = await this.api('POST', '/v1/workflows', { spec });
    if (status !== 201 && status !== 200) throw new Error(`not saved: ${JSON.stringify(body)}`);
  }

  async start(workflow: string, input: unknown = {}): Promise<string> {
    return (await this.api<Run>('POST', '/v1/executions', { workflow, input })).body.id;
  }

  /** The run once it has a status. */
  runUntil(id: string, status: string): Promise<Run> {
    return until(`${id} is ${status}`, async () => {
      const { body } = await this.api<Run>('GET', `/v1/executions/${id}`);
      return body.status === status && body;
    }, 60_000);
  }

  /** Another tenant of the same program, with a key that may everything; it has the ten credits that a tenant begins with. */
  async tenant(organization: string): Promise<Installation> {
    const who = { email: `owner@${organization.toLowerCase().replaceAll(' ', '-')}.example`, password: 'a long enough password' };
    await this.api('POST', '/v1/auth/signup', { ...who, organization });
    const { body: session } = await this.api<{ access_token: string }>('POST', '/v1/auth/login', who);
    const { body: made } = await this.api<{ secret: string }>('POST', '/v1/keys', { name: 'owner', scopes: ['read', 'run', 'work', 'write', 'propose', 'decide', 'admin'] }, session.access_token);
    return new Installation(this.browser, this.url, made.secret, this.receiver);
  }

  /** A key of its own for somebody, as a person beside the one who installed it. */
  async person(name: string): Promise<{ key: string; id: string }> {
    const { body } = await this.api<{ id: string; secret: string }>('POST', '/v1/keys', { name });
    return { key: body.secret, id: body.id };
  }

  /** A worker of a queue, as any program is one: over the wire. */
  worker(queue: string, name: string) {
    const poll = async (waitMs: number) => (await this.api<Task | undefined>('POST', '/v1/workers/poll', { queues: [queue], wait_ms: waitMs, worker: name })).body;
    return {
      poll,
      take: (kind: Task['kind']) => until(`a task of kind ${kind} for ${name}`, async () => { const task = await poll(5_000); return task?.kind === kind && task; }),
      complete: async (task: Task, output: unknown) => (await this.api('POST', `/v1/tasks/${task.id}/complete`, { output })).status,
    };
  }

  /** Where a tool's effect is counted, outside of Omium. */
  effect(name: string, query = ''): string {
    return `${this.receiver}/effects/${name}${query}`;
  }

  /** What the receiver answers for a name from now on. */
  async answer(name: string, answer: unknown): Promise<void> {
    await fetch(`${this.receiver}/control`, { method: 'POST', body: JSON.stringify({ name, answer }) });
  }

  /** Requests that the receiver has counted for a name, repeated and refused ones too, and what they said. */
  async counted(name: string): Promise<{ requests: number; bodies: unknown[] }> {
    const view = (await (await fetch(`${this.receiver}/effects?name=${name}`)).json()) as { effects: number; duplicates: number; failed: number; lines: { body: unknown }[] };
    return { requests: view.effects + view.duplicates + view.failed, bodies: view.lines.map((line) => line.body) };
  }
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export class Visit {
  readonly errors: string[] = [];

  constructor(readonly page: Page, readonly installation: Installation) {
    page.on('pageerror', (error) => this.errors.push(String(error)));
  }

  get(name: string) {
    return this.page.getByTestId(name).first();
  }

  click(name: string) {
    return this.get(name).click();
  }

  fill(name: string, text: string) {
    return this.get(name).fill(text);
  }

  /** Waits for `data-attribute="value"`. */
  wait(name: string, attribute: string, value: string) {
    return this.page.locator(`[data-testid="${name}"][data-${attribute}="${value}"]`).first().waitFor();
  }

  /** Every violation of WCAG 2.2 A and AA that axe finds, or only those of the contrast of colours, with its places. */
  async violations(rules: 'all' | 'contrast' = 'all'): Promise<string[]> {
    if (!(await this.page.evaluate(() => 'axe' in window))) await this.page.evaluate(axeSource);
    return this.page.evaluate(async (runOnly) => {
      const { axe } = window as unknown as { axe: { run: (root: Document, options: object) => Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }> } };
      const { violations } = await axe.run(document, { runOnly, resultTypes: ['violations'] });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(' | ')}`);
    }, rules === 'all' ? ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] : ['color-contrast']);
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(screenshots, { recursive: true });
    await this.page.screenshot({ path: `${screenshots}${name}.png`, fullPage: true });
  }

  /** Ends the visit; anything that broke in the page fails the test. */
  async close(): Promise<void> {
    await this.page.context().close();
    if (this.errors.length > 0) throw new Error(`The page broke: ${this.errors.join('\n')}`);
  }
}
