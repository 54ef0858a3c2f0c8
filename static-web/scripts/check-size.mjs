// The first page may load at most 250 kB of JavaScript (gzip); the editor and the graph come later, when they are looked at.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const limitBytes = 250_000;
const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, 'utf8'));
const files = new Set();
const visit = (key) => {
  const chunk = manifest[key];
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  (chunk.imports ?? []).forEach(visit);
};
visit('index.html');
let total = 0;
for (const file of files) total += gzipSync(readFileSync(dist + file)).length;
const heavy = [...files].filter((file) => /CodeEditor|FlowGraph|elk/.test(file));
console.log(`Initial JavaScript: ${(total / 1000).toFixed(1)} kB gzip of ${limitBytes / 1000} kB, ${files.size} files.`);
if (total > limitBytes || heavy.length > 0) {
  console.error(heavy.length > 0 ? `Loaded at once, but should be lazy: ${heavy.join(', ')}` : 'Too much for the first page.');
  process.exit(1);
}
