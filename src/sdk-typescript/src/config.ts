/** Where the server is and which key is sent: arguments, then the environment, then the configuration file, then this machine. */
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NotAllowed, OmiumError } from './errors.js';

const LOCAL_URL = 'http://127.0.0.1:7600';
const LOCAL_HOSTS = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** An address and a key. */
export interface Settings {
  url: string;
  key: string;
}

/** The configuration file, `~/.config/omium/config.json` (or under XDG_CONFIG_HOME). */
export function configPath(): string {
  return join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'omium', 'config.json');
}

/** What is not given is looked for. Throws NotAllowed when there is no key. */
export function settings(url?: string, key?: string): Settings {
  const stored = readConfig();
  const address = (url || process.env.OMIUM_BASE_URL || stored.base_url || LOCAL_URL).replace(/\/+$/, '');
  if (!/^https?:\/\/[^/]/.test(address) || !URL.canParse(address)) {
    throw new OmiumError(`'${address}' is no address of a server: it begins with http:// or https://`, 'server_unreachable');
  }
  const found = key || process.env.OMIUM_API_KEY || stored.api_key || localKey(address);
  if (!found) throw new NotAllowed(`no API key for ${address}: run 'omium init', or set OMIUM_API_KEY`);
  return { url: address, key: found };
}

/** The configuration file; empty when there is none. One that others can read is refused: it holds a key. */
function readConfig(): Record<string, string> {
  const path = configPath();
  let text: string;
  try {
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
      throw new OmiumError(`${path} holds a key and others can read it: chmod 600 ${path}`, 'config_exposed');
    }
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null ? (read as Record<string, string>) : {};
  } catch (error) {
    throw new OmiumError(`${path} is not JSON (${(error as Error).message}): run 'omium init' again`, 'config_broken');
  }
}

/** The key that `omium dev` made, for addresses of this machine only. */
function localKey(address: string): string | undefined {
  if (!LOCAL_HOSTS.has(new URL(address).hostname)) return undefined;
  try {
    return readFileSync(join('.omium', 'data', 'dev.key'), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
