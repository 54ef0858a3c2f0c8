import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import type { TestProject } from 'vitest/node';

const program = process.env.OMIUM_BINARY ?? '';
const chromiumPath = process.env.OMIUM_CHROMIUM ?? process.env.CHROMIUM ?? '/usr/bin/chromium';
const consolePath = process.env.OMIUM_CONSOLE ?? fileURLToPath(new URL('../../dist', import.meta.url));

interface Announced { url: string; key: string; receiver: string }

declare module 'vitest' {
  export interface ProvidedContext {
    /** Undefined: something of it is not here, and what needs it is skipped. `browser` is where a browser is connected to. */
    installation: (Announced & { browser: string }) | undefined;
  }
}

/** Before all browser tests: `omium dev --demo` as a process of its own, and one browser. Tenants begin with ten credits; the installation's own has paid. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (!existsSync(program) || !existsSync(join(consolePath, 'index.html')) || !existsSync(chromiumPath)) {
    project.provide('installation', undefined);
    return undefined;
  }
  const data = mkdtempSync(join(tmpdir(), 'omium-console-'));
  const child = spawn(program, ['dev', '--port', '0', '--data', data, '--json', '--demo'], {
    env: { ...process.env, OMIUM_CONSOLE: consolePath, OMIUM_BILLING_PLAN: 'pay_as_you_go', OMIUM_BILLING_WELCOME_CREDITS: '10' }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const [announced, browser] = await Promise.all([
    new Promise<Announced>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`omium dev ended with ${code}: ${said.join('')}`)));
      createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('{') && resolve(JSON.parse(line) as Announced));
    }),
    chromium.launchServer({
      executablePath: chromiumPath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    }),
  ]);
  const url = announced.url.replace(/\/$/, '');
  await pay(url, announced.key, 200);
  project.provide('installation', { ...announced, url, browser: browser.wsEndpoint() });
  return async () => {
    await browser.close();
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
}

async function pay(url: string, key: string, usd: number): Promise<void> {
  const order = await fetch(`${url}/v1/billing/topups`, { method: 'POST', headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }, body: JSON.stringify({ amount_usd: usd }) });
  const { checkout_url } = (await order.json()) as { checkout_url: string };
  await fetch(`${checkout_url}/pay`, { method: 'POST', redirect: 'manual' });
}
