import type { Json } from '~/api/types';

/** A check in plain words, with the range behind it when it is one. */
export interface Expectation {
  /** The last part of the path the check reads, as a word: `apr`. Absent when the check reads several. */
  subject: string | undefined;
  /** `between 2.5 and 8.5`, `at least 300`, `"approved"`; absent when the check is not of a shape that reads well. */
  phrase: string | undefined;
  range: { low?: number; high?: number } | undefined;
  path: string | undefined;
}

interface Comparison {
  path: string;
  operator: string;
  value: Json;
}

const flipped: Record<string, string> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '==': '==', '!=': '!=' };
const comparisonShape = /^\(?\s*(.+?)\s*(<=|>=|==|!=|<|>)\s*(.+?)\s*\)?$/;
const pathShape = /^[A-Za-z_][\w]*(\.[A-Za-z_]\w*|\[\d+\])*$/;

/**
 * Reads the few shapes that checks mostly have (one comparison, or a range over one path). It never guesses: whatever
 * it does not read is shown as written. Evaluation stays with the server.
 */
export function readCheck(check: string | undefined): Expectation {
  const unread: Expectation = { subject: undefined, phrase: undefined, range: undefined, path: undefined };
  if (!check) return unread;
  const pair = equalPaths(check);
  if (pair) return { ...unread, phrase: pair };
  const comparisons = check.split('&&').map((part) => readComparison(part.trim()));
  if (comparisons.some((comparison) => comparison === undefined)) return unread;
  const known = comparisons as Comparison[];
  const path = known[0]!.path;
  if (known.some((comparison) => comparison.path !== path)) return unread;
  const phrase = known.length === 1 ? phraseOf(known[0]!) : rangePhrase(known);
  if (phrase === undefined) return unread;
  return { subject: lastPart(path), phrase, range: rangeOf(known), path };
}

/** `handoff.records.said == handoff.records.seen` -> `said equals seen`. */
function equalPaths(check: string): string | undefined {
  const [left, right, ...more] = check.split('==').map((side) => side.trim());
  if (left === undefined || right === undefined || more.length > 0 || !isPath(left) || !isPath(right)) return undefined;
  return lastPart(left) === lastPart(right) ? `${left} equals ${right}` : `${lastPart(left)} equals ${lastPart(right)}`;
}

const isPath = (text: string) => pathShape.test(text) && literal(text) === undefined;

function readComparison(text: string): Comparison | undefined {
  const match = comparisonShape.exec(text);
  if (!match) return undefined;
  const [, left, operator, right] = match as unknown as [string, string, string, string];
  const leftValue = literal(left);
  const rightValue = literal(right);
  if (pathShape.test(left) && leftValue === undefined && rightValue !== undefined) return { path: left, operator, value: rightValue };
  if (pathShape.test(right) && rightValue === undefined && leftValue !== undefined) return { path: right, operator: flipped[operator]!, value: leftValue };
  return undefined;
}

function literal(text: string): Json | undefined {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  const quoted = /^(["'])((?:(?!\1)[^\\])*)\1$/.exec(text);
  return quoted ? quoted[2] : undefined;
}

function phraseOf({ operator, value }: Comparison): string {
  const shown = typeof value === 'string' ? `“${value}”` : String(value);
  const words: Record<string, string> = {
    '>=': `at least ${shown}`, '<=': `at most ${shown}`, '>': `more than ${shown}`, '<': `less than ${shown}`, '==': shown, '!=': `anything but ${shown}`,
  };
  return words[operator]!;
}

function rangePhrase(comparisons: Comparison[]): string | undefined {
  const range = rangeOf(comparisons);
  if (comparisons.length !== 2 || range?.low === undefined || range.high === undefined) return undefined;
  const open = comparisons.some(({ operator }) => operator === '<' || operator === '>');
  return open ? `more than ${range.low} and less than ${range.high}` : `between ${range.low} and ${range.high}`;
}

function rangeOf(comparisons: Comparison[]): { low?: number; high?: number } | undefined {
  const range: { low?: number; high?: number } = {};
  for (const { operator, value } of comparisons) {
    if (typeof value !== 'number') return undefined;
    if (operator === '>=' || operator === '>') range.low = value;
    else if (operator === '<=' || operator === '<') range.high = value;
    else return undefined;
  }
  return range.low === undefined && range.high === undefined ? undefined : range;
}

export function lastPart(path: string): string {
  const parts = path.split('.');
  return (parts[parts.length - 1] ?? path).replace(/_/g, ' ');
}

/** Every path the check reads with its value; a bare value is given the check's own path. */
export function readActual(actual: Json | undefined, path?: string): { path: string; value: Json }[] {
  if (actual === undefined) return [];
  if (actual !== null && typeof actual === 'object' && !Array.isArray(actual)) {
    return Object.entries(actual).map(([name, value]) => ({ path: name, value }));
  }
  return [{ path: path ?? 'value', value: actual }];
}

/** The number the check is about, when what was seen holds one. */
export function numberSeen(actual: Json | undefined, path: string | undefined): number | undefined {
  const seen = readActual(actual, path);
  const value = (seen.find((entry) => entry.path === path) ?? (seen.length === 1 ? seen[0] : undefined))?.value;
  return typeof value === 'number' ? value : undefined;
}

export interface Gauge {
  /** All in percent of the width. */
  bandFrom: number;
  bandTo: number;
  marks: { at: number; value: number; inside: boolean }[];
  low: number;
  high: number;
}

/** A number line with the allowed band and what was seen on it; both ends of the band are needed. */
export function gauge(range: { low?: number; high?: number } | undefined, seen: number[]): Gauge | undefined {
  if (range?.low === undefined || range.high === undefined || range.high <= range.low || seen.length === 0) return undefined;
  const { low, high } = range;
  const from = Math.min(low, ...seen);
  const to = Math.max(high, ...seen);
  const margin = (to - from) * 0.12;
  const place = (value: number) => Math.round(((value - (from - margin)) / (to - from + 2 * margin)) * 1000) / 10;
  return {
    bandFrom: place(low),
    bandTo: place(high),
    marks: seen.map((value) => ({ at: place(value), value, inside: value >= low && value <= high })),
    low,
    high,
  };
}
