/** `npm pack` gives a package that installs without anything else and runs in an empty folder. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error: a script without declarations.
import { generate } from '../../../static-web/scripts/generate.mjs';
import { useServer } from './support.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const EXAMPLE = /```js\n(.*?)```/s.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))![1]!;

describe('package', () => {
  useServer();
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'omium-pack-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const npm = (...given: string[]): string => execFileSync('npm', given, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

  it('Pack_Installed_RunsTheFirstExampleInAnEmptyFolder', () => {
    npm('pack', ROOT, '--ignore-scripts', '--pack-destination', folder); // What is packed was built before the tests.
    const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
    writeFileSync(join(folder, 'package.json'), '{"name": "empty", "private": true, "type": "module"}');
    npm('install', '--offline', '--no-audit', '--no-fund', '--omit=optional', '--legacy-peer-deps', join(folder, archive));
    expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['@omium']);
    writeFileSync(join(folder, 'program.mjs'), EXAMPLE);
    const run = (): string => execFileSync(process.execPath, ['program.mjs'], { cwd: folder, encoding: 'utf8' });
    const first = run();
    expect(first).toMatch(/^{ id: 'pay_.+', usd: 24 }\n$/);
    expect(run()).toBe(first);
  });

  it('Types_AreThoseOfTheDocument', () => {
    const document: unknown = JSON.parse(readFileSync(new URL('../../../tests/golden/openapi/v1.json', import.meta.url), 'utf8'));
    expect(readFileSync(join(ROOT, 'src/generated.ts'), 'utf8')).toBe(generate(document));
  });
});
