import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** `OMIUM_BASE_URL` names the API while developing; in production console and API share an origin. */
const apiOrigin = process.env.OMIUM_BASE_URL ?? 'http://localhost:8420';

const resolve = { alias: { '~': fileURLToPath(new URL('./src', import.meta.url)) } };

export default defineConfig(({ mode }) => ({
  plugins: [react(), tailwindcss()],
  // The mock's service worker lives in a folder of its own so that it can never ship in a real build.
  publicDir: mode === 'mock' ? 'mock-public' : 'public',
  resolve,
  // The docs lie beside the console. A session in cookies takes the API's own origin: the proxy speaks with it.
  server: {
    fs: { allow: ['..'] },
    ...(mode === 'mock' ? {} : { proxy: { '/v1': { target: apiOrigin, changeOrigin: true, headers: { origin: apiOrigin } } } }),
  },
  build: {
    target: 'es2022',
    manifest: true,
    // The graph's layout engine is 1.4 MB unpacked, loaded in a worker only when a graph is opened.
    chunkSizeWarningLimit: 700,
  },
  test: {
    reporters: ['default', 'junit'],
    outputFile: { junit: 'artifacts/vitest.junit.xml' },
    // Before everything, once: one program and one browser for all files.
    globalSetup: 'tests/browser/program.ts',
    projects: [
      { resolve, test: { name: 'model', include: ['tests/*.test.ts', 'tests/*.test.tsx'], environment: 'node', sequence: { groupOrder: 0 } } },
      // Two files at a time, since a page waits for the server half of its time.
      { resolve, test: { name: 'browser', include: ['tests/browser/*.test.ts'], environment: 'node', maxWorkers: 2, sequence: { groupOrder: 1 } } },
      // What is measured runs alone.
      { resolve, test: { name: 'measures', include: ['tests/browser/*.measure.ts'], environment: 'node', maxWorkers: 1, sequence: { groupOrder: 2 } } },
    ],
  },
}));
