/** Where the API key is kept: this tab first, then this browser. */
const storageKey = 'omium.key';

type Listener = () => void;
const listeners = new Set<Listener>();
let current: string | null | undefined;

/**
 * Takes the key out of the printed address (`/#key=omk_...`) and out of the address bar, so that it is neither
 * bookmarked nor shared. Call once, before the router reads the location.
 */
export function adoptKeyFromAddress(location: Location, history: History): void {
  const key = keyInFragment(location.hash);
  if (key === null) return;
  signIn(key);
  history.replaceState(history.state, '', location.pathname + location.search);
}

/** The key in a fragment, or null when it holds none. */
export function keyInFragment(fragment: string): string | null {
  const key = new URLSearchParams(fragment.replace(/^#/, '')).get('key');
  return key !== null && /^om[ks]_\S+$/.test(key) ? key : null;
}

export function currentKey(): string | null {
  if (current === undefined) current = read();
  return current;
}

export function signIn(key: string): void {
  current = key;
  for (const storage of storages()) attempt(() => storage.setItem(storageKey, key));
  announce();
}

export function signOut(): void {
  current = null;
  for (const storage of storages()) attempt(() => storage.removeItem(storageKey));
  announce();
}

export function onSessionChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function announce(): void {
  for (const listener of listeners) listener();
}

function read(): string | null {
  for (const storage of storages()) {
    const found = attempt(() => storage.getItem(storageKey));
    if (found) return found;
  }
  return null;
}

function storages(): Storage[] {
  return [attempt(() => sessionStorage), attempt(() => localStorage)].filter((storage) => storage !== null && storage !== undefined);
}

/** Storage can be refused (private windows, policies); the session then lives in memory only. */
function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
