/** Values as they are recorded. What is recorded comes back as it was, in any language: JSON, and nothing else. */
import { createHash } from 'node:crypto';
import { NotSerializable } from './errors.js';
import type { Json } from './generated.js';

const MARK = '$omium';
const PAYLOAD = 'omium_ref';
const HALF_PAIR = /\p{Surrogate}/u;

/**
 * JSON for a value. Members that are undefined are left out, as everywhere in JSON; a value that is undefined as a whole comes back as undefined.
 * Throws NotSerializable, naming `place` and what stands in it, for anything that could not come back as it was.
 */
export function encode(value: unknown, place: string): Json {
  return value === undefined ? { [MARK]: 'undefined' } : plain(value, place);
}

/** The value that was encoded. */
export function decode(value: Json | undefined): unknown {
  return isMarked(value) && value[MARK] === 'undefined' ? undefined : value;
}

/** JSON for a value that programs of other languages read as well; undefined is null. */
export function plain(value: unknown, place: string): Json {
  switch (typeof value) {
    case 'undefined': return null;
    case 'boolean': return value;
    case 'string': return text(value, place);
    case 'number': return number(value, place);
    case 'object': break;
    default: throw refused(value, place);
  }
  if (value === null) return null;
  if (Array.isArray(value)) {
    return Array.from(value, (item: unknown, index) => {
      if (item === undefined) throw new NotSerializable(`${place}[${index}] is undefined: JSON has no such item; use null`);
      return plain(item, `${place}[${index}]`);
    });
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype && !isForeignObject(prototype)) throw refused(value, place);
  return members(value as Record<string, unknown>, place);
}

/** The canonical JSON of a value (RFC 8785). */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name]!)}`).join(',')}}`;
}

/** The SHA-256 of the canonical JSON of a value, lower-case hex. */
export const digest = (value: Json): string => createHash('sha256').update(canonical(value)).digest('hex');

function members(value: Record<string, unknown>, place: string): Json {
  if (MARK in value || PAYLOAD in value) throw new NotSerializable(`${place} has a key that Omium keeps for itself (${MARK} or ${PAYLOAD})`);
  const made: Record<string, Json> = {};
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const told = plain(item, `${place}.${text(name, place)}`);
    if (name === '__proto__') Object.defineProperty(made, name, { value: told, enumerable: true, configurable: true, writable: true });
    else made[name] = told;
  }
  return made;
}

/** A text that UTF-8 can hold. */
function text(value: string, place: string): string {
  if (HALF_PAIR.test(value)) throw new NotSerializable(`${place} holds half of a surrogate pair, which is no text`);
  return value;
}

function number(value: number, place: string): number {
  if (!Number.isFinite(value)) throw new NotSerializable(`${place} is ${value}: JSON knows no such number`);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new NotSerializable(`${place} is ${value}: integers beyond 2^53 are not the same everywhere; record it as a text`);
  }
  return value;
}

function refused(value: unknown, place: string): NotSerializable {
  const kind = typeof value === 'object' ? (value as object).constructor?.name || 'object' : typeof value;
  const hint = value instanceof Date ? '; record date.toISOString()' : value instanceof Map ? '; record Object.fromEntries(map)' : value instanceof Set ? '; record [...set]' : '';
  return new NotSerializable(`${place} is a ${kind}, which cannot be recorded: only JSON values come back as they were${hint}`);
}

/** True for the prototype of plain objects of another realm, such as a test runner's. */
function isForeignObject(prototype: unknown): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'hasOwnProperty');
}

function isMarked(value: Json | undefined): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && MARK in value && Object.keys(value).length === 1;
}
