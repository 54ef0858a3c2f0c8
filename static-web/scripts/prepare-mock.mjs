// The mock's public folder: the real one and the service worker that answers in the server's place.
import { copyFileSync, cpSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
mkdirSync(folder('../mock-public'), { recursive: true });
cpSync(folder('../public'), folder('../mock-public'), { recursive: true });
copyFileSync(folder('../node_modules/msw/lib/mockServiceWorker.js'), folder('../mock-public/mockServiceWorker.js'));
