/** The two servers, each with its data on the same disk and a sync for what it has promised. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const READY_MS = 60_000;

/** `omium dev`: one sync for each group of records, before it answers. */
export async function startOmium(data) {
  const binary = process.env.OMIUM_BINARY ?? join(HERE, '../../../artifacts/omium/omium');
  const child = spawn(binary, ['dev', '--data', data, '--port', '0', '--no-console', '--json'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const told = await new Promise((resolve, reject) => {
    createInterface(child.stdout).once('line', (line) => resolve(JSON.parse(line)));
    child.once('exit', () => reject(new Error('omium dev did not start')));
  });
  return { child, environment: { OMIUM_BASE_URL: told.url.replace(/\/$/, ''), OMIUM_API_KEY: told.key } };
}

/** `restate-server` as it comes: its log syncs what it writes (rocksdb-disable-wal-fsync is false, said here once more). */
export async function startRestate(data, handlerPort) {
  mkdirSync(data, { recursive: true });
  const [node, ingress, admin] = await Promise.all([freePort(), freePort(), freePort()]);
  const address = (port) => `127.0.0.1:${port}`;
  const environment = {
    ...process.env, RESTATE_NODE_NAME: 'bench', RESTATE_BIND_ADDRESS: address(node), RESTATE_ADVERTISED_ADDRESS: `http://${address(node)}`, RESTATE_INGRESS__BIND_ADDRESS: address(ingress), RESTATE_ADMIN__BIND_ADDRESS: address(admin),
    RESTATE_LOG_SERVER__ROCKSDB_DISABLE_WAL_FSYNC: 'false', RESTATE_BIFROST__LOCAL__ROCKSDB_DISABLE_WAL_FSYNC: 'false', RESTATE_LOG_FILTER: 'error', RESTATE_DISABLE_TELEMETRY: 'true',
  };
  // Its launcher is a script that starts the binary: the process that is ended has to be the binary itself.
  const binary = createRequire(import.meta.url).resolve(`@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`);
  const child = spawn(binary, ['--no-logo', '--base-dir', data], { env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
  await ready(async () => (await fetch(`http://${address(admin)}/health`)).ok && (await fetch(`http://${address(ingress)}/restate/health`)).ok);
  const registered = await ready(async () => {
    const answer = await fetch(`http://${address(admin)}/deployments`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ uri: `http://127.0.0.1:${handlerPort}` }) });
    return answer.ok;
  });
  return { child, environment: { RESTATE_INGRESS: `http://${address(ingress)}`, registered: String(registered) } };
}

/** Ends a process that this program started, and waits until it has. */
export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const slow = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(slow);
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function ready(check) {
  for (const end = performance.now() + READY_MS; ; await sleep(100)) {
    if (await check().catch(() => false)) return true;
    if (performance.now() > end) throw new Error(`not ready after ${READY_MS} ms`);
  }
}
