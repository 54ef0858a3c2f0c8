/**
 * Who is signed in: a key (kept in this browser), or a person whose tokens are in cookies that no script can read. Of a
 * person's session only the CSRF word is kept here; it is worth nothing without the cookies.
 */
const keyStorage = 'omium.key';
const personStorage = 'omium.person';

export type Credential = { kind: 'key'; key: string } | { kind: 'person'; csrf: string; renewedAt: number };

type Listener = () => void;
const listeners = new Set<Listener>();
let current: Credential | null | undefined;

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
  const key = wordIn(fragment, 'key');
  return key !== null && /^om[ks]_\S+$/.test(key) ? key : null;
}

/** What an address brings along for the sign-in page: an invitation, or the code of a confirmation mail. */
export function wordIn(fragment: string, name: 'key' | 'invitation' | 'verify'): string | null {
  return new URLSearchParams(fragment.replace(/^#/, '')).get(name);
}

export function currentCredential(): Credential | null {
  if (current === undefined) current = read();
  return current;
}

export function currentKey(): string | null {
  const credential = currentCredential();
  return credential?.kind === 'key' ? credential.key : null;
}

/** Something that changes when somebody else is signed in, and stays while a session is renewed. */
export function sessionMark(): string | null {
  const credential = currentCredential();
  if (credential === null) return null;
  return credential.kind === 'key' ? credential.key : 'person';
}

export function signIn(key: string): void {
  current = { kind: 'key', key };
  for (const storage of storages()) {
    attempt(() => storage.setItem(keyStorage, key));
    attempt(() => storage.removeItem(personStorage));
  }
  announce();
}

/** A person signed in: the cookies are set, `csrf` goes with everything that changes something. */
export function signInPerson(csrf: string, isRenewal = false): void {
  // Another at each renewal, so that a request knows whether what it used was renewed since.
  const before = current?.kind === 'person' ? current.renewedAt : 0;
  current = { kind: 'person', csrf, renewedAt: Math.max(Date.now(), before + 1) };
  attempt(() => sessionStorage.removeItem(keyStorage));
  attempt(() => localStorage.removeItem(keyStorage));
  attempt(() => localStorage.setItem(personStorage, JSON.stringify(current)));
  if (!isRenewal) announce();
}

/** What another tab may have written since this one read it. */
export function storedPerson(): Extract<Credential, { kind: 'person' }> | null {
  const text = attempt(() => localStorage.getItem(personStorage));
  if (!text) return current?.kind === 'person' ? current : null;
  const stored = attempt(() => JSON.parse(text) as Extract<Credential, { kind: 'person' }>);
  if (stored) current = stored;
  return stored;
}

export function signOut(): void {
  current = null;
  for (const storage of storages()) {
    attempt(() => storage.removeItem(keyStorage));
    attempt(() => storage.removeItem(personStorage));
  }
  announce();
}

export function onSessionChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function announce(): void {
  for (const listener of listeners) listener();
}

function read(): Credential | null {
  for (const storage of storages()) {
    const found = attempt(() => storage.getItem(keyStorage));
    if (found) return { kind: 'key', key: found };
  }
  const person = attempt(() => localStorage.getItem(personStorage));
  return person ? attempt(() => JSON.parse(person) as Credential) : null;
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
