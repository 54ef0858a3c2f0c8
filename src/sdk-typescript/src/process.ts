/** This process as the holder of leases: its name, and whether another one of this machine is still there. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

const own = new Set<string>();

/** A name that no other process and no other session uses. */
export function newOwner(): string {
  const owner = `${hostname()}/${process.pid}/${randomBytes(4).toString('hex')}`;
  own.add(owner);
  return owner;
}

/** The session of that name has ended. */
export function disown(owner: string): void {
  own.delete(owner);
}

/** True for a process of this machine that is not there any more: its leases need not run out. */
export function isGone(owner: string): boolean {
  const [host, pid, ...rest] = owner.split('/');
  if (rest.length !== 1 || host !== hostname() || !/^\d+$/.test(pid ?? '') || process.platform === 'win32') return false;
  if (Number(pid) === process.pid) return !own.has(owner);
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
