import type { Json, JsonObject } from '~/api/types';
import { isObject } from './graph';

export interface SpecAgent {
  id: string;
  role: string | undefined;
  model: string | undefined;
}

export function agentsOf(spec: JsonObject): SpecAgent[] {
  if (!isObject(spec.agents)) return [];
  return Object.entries(spec.agents).map(([id, agent]) => ({
    id,
    role: isObject(agent) && typeof agent.role === 'string' ? agent.role : undefined,
    model: isObject(agent) && typeof agent.model === 'string' ? agent.model : undefined,
  }));
}

/** The JSON Schema of the input, if the spec has one. */
export function inputSchema(spec: JsonObject): JsonObject | undefined {
  const input = spec.input;
  if (!isObject(input)) return undefined;
  return isObject(input.schema) ? input.schema : undefined;
}

/** A value to begin from that has the schema's fields: its own default or example first, else an empty value of its type. */
export function sampleOf(schema: Json | undefined): Json {
  if (!isObject(schema)) return {};
  if (schema.default !== undefined) return schema.default;
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0]!;
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0]!;
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'string': return '';
    case 'integer':
    case 'number': return typeof schema.minimum === 'number' ? schema.minimum : 0;
    case 'boolean': return false;
    case 'array': return [];
    case 'null': return null;
    default: {
      const properties = isObject(schema.properties) ? schema.properties : {};
      return Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, sampleOf(inner)]));
    }
  }
}

export type ParsedInput = { ok: true; value: Json } | { ok: false; message: string };

/** The text of an input as JSON, or what is wrong with it. */
export function parseInput(text: string): ParsedInput {
  if (text.trim() === '') return { ok: true, value: {} };
  try {
    return { ok: true, value: JSON.parse(text) as Json };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : 'This is not JSON.' };
  }
}
