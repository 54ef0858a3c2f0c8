import type { MeView } from '~/api/generated';
import { humanise } from './status';

export type Scope = 'read' | 'run' | 'work' | 'write' | 'propose' | 'decide' | 'admin';
export const scopes: Scope[] = ['read', 'run', 'work', 'write', 'propose', 'decide', 'admin'];

/** What a scope allows, as the end of "may ...". */
export const scopeWords: Record<Scope, string> = {
  read: 'see workflows, runs, reviews and failures',
  run: 'start runs and steer them',
  work: 'do the work of worker steps',
  write: 'save workflows and policies',
  propose: 'test fixes and propose them',
  decide: 'decide reviews, ignore failures, settle what was left behind',
  admin: 'manage members, keys, secrets, audit, retention and billing',
};

export type Role = 'viewer' | 'operator' | 'approver' | 'admin';
export const roles: { value: Role; label: string; hint: string }[] = [
  { value: 'viewer', label: 'Viewer', hint: 'Sees everything, changes nothing.' },
  { value: 'operator', label: 'Operator', hint: 'Saves workflows, starts and steers runs, tests fixes. Does not approve.' },
  { value: 'approver', label: 'Approver', hint: 'Decides reviews and failures. Does not start runs.' },
  { value: 'admin', label: 'Administrator', hint: 'Everything, and members, keys, audit and billing.' },
];

/** Why this caller may not do what takes `scope`; undefined when they may. A server that names no scopes is not second-guessed. */
export function mayNot(scope: Scope, me: Pick<MeView, 'scopes' | 'role'>): string | undefined {
  if (!me.scopes || me.scopes.includes(scope)) return undefined;
  const able = roles.filter(({ value }) => rolesWith[scope].includes(value)).map(({ label }) => label.toLowerCase());
  const who = me.role ? `Your role here is ${humanise(me.role).toLowerCase()}` : 'The key you are signed in with lacks the scope';
  return me.role
    ? `${who}. It takes ${listOr(able)} to ${scopeWords[scope]}.`
    : `${who} “${scope}”, which it takes to ${scopeWords[scope]}.`;
}

const rolesWith: Record<Scope, Role[]> = {
  read: ['viewer', 'operator', 'approver', 'admin'], run: ['operator', 'admin'], work: ['operator', 'admin'], write: ['operator', 'admin'], propose: ['operator', 'approver', 'admin'], decide: ['approver', 'admin'], admin: ['admin'],
};

const listOr = (words: string[]) => (words.length < 2 ? `an ${words[0] ?? ''}` : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`).replace(/^an (?![aeio])/, 'a ');
