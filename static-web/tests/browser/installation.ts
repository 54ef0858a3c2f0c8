import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const chromiumPath = process.env.OMIUM_CHROMIUM ?? process.env.CHROMIUM ?? '/usr/bin/chromium';
const consolePath = process.env.OMIUM_CONSOLE ?? folder('../../dist');
export const screenshots = folder('../../artifacts/real/');

/** Whether the real thing can be looked at here: the published program, the built console and a browser. */
export const isReal = process.env.OMIUM_BINARY !== undefined && existsSync(process.env.OMIUM_BINARY) && existsSync(join(consolePath, 'index.html')) && existsSync(chromiumPath);

/** `omium dev --demo` as a process of its own, and a browser. */
export class Installation {
  private constructor(readonly url: string, readonly key: string, private readonly process: ChildProcess, private readonly data: string, private readonly browser: Browser) {}

  static async start(...options: string[]): Promise<Installation> {
    const data = mkdtempSync(join(tmpdir(), 'omium-console-'));
    const child = spawn(process.env.OMIUM_BINARY!, ['dev', '--port', '0', '--data', data, '--json', '--demo', ...options], { env: { ...process.env, OMIUM_CONSOLE: consolePath }, stdio: ['ignore', 'pipe', 'pipe'] });
    const errors: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
    const announced = await new Promise<{ url: string; key: string }>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`omium dev ended with ${code}: ${errors.join('')}`)));
      createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('{') && resolve(JSON.parse(line) as { url: string; key: string }));
    });
    const browser = await chromium.launch({
      executablePath: chromiumPath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    return new Installation(announced.url.replace(/\/$/, ''), announced.key, child, data, browser);
  }

  async end(): Promise<void> {
    await this.browser.close();
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    await ended;
    rmSync(this.data, { recursive: true, force: true });
  }

  /** A page in a browser of its own: nobody is signed in there. What breaks in it is in `errors`. */
  async open(path: string, look: { width?: number; height?: number; scheme?: 'light' | 'dark' } = {}): Promise<Visit> {
    const context = await this.browser.newContext({ viewport: { width: look.width ?? 1440, height: look.height ?? 900 }, colorScheme: look.scheme ?? 'light', reducedMotion: 'reduce' });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const visit = new Visit(page, this);
    await page.goto(this.url + path);
    return visit;
  }

  /** Signed in with the key of the installation. */
  openWithKey(path: string, look?: Parameters<Installation['open']>[1]): Promise<Visit> {
    return this.open(`${path}#key=${this.key}`, look);
  }

  async api<T>(method: string, path: string, body?: unknown, key = this.key): Promise<{ status: number; body: T }> {
    const response = await fetch(this.url + path, { method, headers: { Authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as T };
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

  /** Every violation of WCAG 2.2 A and AA that axe finds, with its places. */
  async violations(): Promise<string[]> {
    await this.page.evaluate(axeSource);
    return this.page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run: (root: Document, options: object) => Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }> } };
      const { violations } = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(' | ')}`);
    });
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(screenshots, { recursive: true });
    await this.page.screenshot({ path: `${screenshots}${name}.png`, fullPage: true });
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
