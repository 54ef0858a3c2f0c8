/** A real server for the tests: the built `omium dev`, started once, on a data directory of its own. And the package as it is shipped, for the programs that use it. */
import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

export interface Server {
  url: string;
  key: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    server: Server | null;
  }
}

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const START_MS = 60_000;
const LEASE_MS = '5000';

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  const binary = process.env.OMIUM_BINARY ?? join(ROOT, '../../artifacts/omium/omium');
  try {
    accessSync(binary, constants.X_OK);
  } catch {
    project.provide('server', null);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'omium-sdk-'));
  const child = spawn(binary, ['dev', '--data', join(folder, 'data'), '--port', '0', '--no-console', '--json'], {
    cwd: folder, stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, OMIUM_WORKER_LEASE_MS: LEASE_MS }, // A worker that was killed is missed soon.
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const killer = setTimeout(() => child.kill('SIGKILL'), START_MS);
  const told = await new Promise<Server>((resolve, reject) => {
    createInterface(child.stdout).once('line', (line) => resolve(JSON.parse(line) as Server));
    void exited.then(() => reject(new Error('omium dev did not start')));
  });
  clearTimeout(killer);
  project.provide('server', { url: told.url.replace(/\/$/, ''), key: told.key });
  return async () => {
    child.kill('SIGTERM');
    const slow = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(slow);
    rmSync(folder, { recursive: true, force: true });
  };
}
