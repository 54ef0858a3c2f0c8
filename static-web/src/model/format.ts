import type { Json } from '~/api/types';

/** Milliseconds for people: `84 ms`, `1.2 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joined(minutes, 'min', Math.floor(seconds % 60), 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return joined(hours, 'h', minutes % 60, 'min');
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function joined(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

export function between(from: string, to: string): number {
  return Date.parse(to) - Date.parse(from);
}

/** `just now`, `4 min ago`, `3 h ago`, then the date. */
export function ago(at: string, now: number): string {
  const ms = now - Date.parse(at);
  if (ms < 45_000) return 'just now';
  if (ms < 3_600_000) return `${Math.max(1, Math.round(ms / 60_000))} min ago`;
  if (ms < 86_400_000) return `${Math.round(ms / 3_600_000)} h ago`;
  if (ms < 7 * 86_400_000) return `${Math.round(ms / 86_400_000)} d ago`;
  return date(at);
}

/** Local clock time to the second, `14:03:02`; with milliseconds where order matters. */
export function clock(at: string, withMilliseconds = false): string {
  const time = new Date(at);
  const pad = (value: number, size = 2) => String(value).padStart(size, '0');
  const text = `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
  return withMilliseconds ? `${text}.${pad(time.getMilliseconds(), 3)}` : text;
}

export function date(at: string): string {
  return new Date(at).toLocaleDateString(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
}

/** `+84 ms` after a beginning. */
export function offset(from: string, at: string): string {
  return `+${duration(Math.max(0, between(from, at)))}`;
}

/** The tail of an id is what differs: `exe_…7Q2M`. */
export function shortId(id: string): string {
  const underscore = id.indexOf('_');
  const body = underscore < 0 ? id : id.slice(underscore + 1);
  return body.length <= 8 ? id : `${id.slice(0, underscore + 1)}…${body.slice(-6)}`;
}

export function count(value: number, one: string, many = `${one}s`): string {
  return `${value.toLocaleString('en')} ${value === 1 ? one : many}`;
}

/** One line for a value; long ones are cut, and say so. */
export function preview(value: Json | undefined, limit = 60): string {
  if (value === undefined) return '–';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

export interface Field {
  name: string;
  value: string;
}

/** The fields of a value, for a row of `name value`: nested ones are previewed; a value without fields has one without a name. */
export function fields(value: Json | undefined, limit = 6): { shown: Field[]; more: number } {
  if (value === undefined || value === null) return { shown: [], more: 0 };
  if (typeof value !== 'object' || Array.isArray(value)) return { shown: [{ name: '', value: preview(value, 120) }], more: 0 };
  const all = Object.entries(value).map(([name, inner]) => ({ name, value: preview(inner, 80) }));
  return { shown: all.slice(0, limit), more: Math.max(0, all.length - limit) };
}
