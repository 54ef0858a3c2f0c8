import { stringify } from 'yaml';
import type { Json, JsonObject } from '~/api/types';
import { isObject } from './graph';

/** How people write a workflow down: what a thing is comes before what it does. What is not named here comes after, as it stands. */
const customary = [
  'omium', 'name', 'id', 'type', 'role', 'goal', 'description', 'model', 'temperature', 'agent', 'tool', 'function', 'method', 'url', 'headers', 'body', 'needs', 'from', 'to', 'when', 'input', 'prompt', 'constraints', 'schema', 'output',
  'effect', 'guards', 'checkpoint', 'retry', 'timeout', 'agents', 'tools', 'steps', 'edges', 'recovery',
];
const rank = new Map(customary.map((name, index) => [name, index]));

/** A saved spec as text to write in; the version is the server's to give. The server answers with members by the alphabet, as its digest needs them. */
export function specYaml(spec: JsonObject): string {
  const { version: _, ...rest } = spec;
  return stringify(ordered(rest), { lineWidth: 0 });
}

function ordered(value: Json): Json {
  if (Array.isArray(value)) return value.map(ordered);
  if (!isObject(value)) return value;
  const place = (name: string) => rank.get(name) ?? customary.length;
  return Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => place(left) - place(right)).map(([name, inner]) => [name, ordered(inner)]));
}
