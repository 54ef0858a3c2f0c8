import type { AuditRowView } from '~/api/generated';
import { isObject } from './graph';
import { humanise } from './status';

const grave = /refused|failed|erased/;

/** `session.signed_in` -> `Session: signed in`; what was refused or can never come back stands out. */
export function auditLook(action: string): { words: string; grave: boolean } {
  const [kind, ...rest] = action.split('.');
  const words = rest.length === 0 ? humanise(action) : `${humanise(kind ?? '')}: ${humanise(rest.join(' ')).toLowerCase()}`;
  return { words, grave: grave.test(action) };
}

/** The e-mail of whoever acted, where it was not erased. */
export function personOf(row: AuditRowView): string | undefined {
  const own = row.personal.find(({ person }) => person === row.actor) ?? row.personal[0];
  return own && isObject(own.data) && typeof own.data.email === 'string' ? own.data.email : undefined;
}
