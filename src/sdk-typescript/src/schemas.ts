/** JSON Schemas: as they are, or from any library that speaks Standard Schema (zod, valibot, arktype). */
import { OmiumError } from './errors.js';
import type { Json } from './generated.js';

/** What a library of schemas gives: validation and, where it can, a JSON Schema (standardschema.dev). */
export interface StandardSchema<T = unknown> {
  '~standard': {
    validate: (value: unknown) => { value: T; issues?: undefined } | { issues: readonly { message: string }[] } | Promise<{ value: T; issues?: undefined } | { issues: readonly { message: string }[] }>;
    jsonSchema?: { input: (options: { target: string }) => Record<string, unknown> };
    types?: { output: T } | undefined;
  };
}

/** A JSON Schema (draft 2020-12), or a schema of a library. */
export type Schema<T = unknown> = StandardSchema<T> | { readonly [name: string]: unknown };

/** The JSON Schema of a schema. Throws OmiumError for a library that gives none. */
export function schemaOf(source: Schema | undefined): Json | undefined {
  if (source === undefined) return undefined;
  if (!isStandard(source)) return source as Json;
  const make = source['~standard'].jsonSchema;
  if (make === undefined) throw new OmiumError('no JSON Schema can be made of this schema: its library does not give one; write the JSON Schema as an object', 'schema_unknown');
  return make.input({ target: 'draft-2020-12' }) as Json;
}

/** The value as the schema says: what a library makes of it, else the value itself. */
export async function readAs<T>(source: Schema<T> | undefined, value: unknown): Promise<T> {
  if (source === undefined || !isStandard(source)) return value as T;
  const read = await source['~standard'].validate(value);
  if (read.issues === undefined) return read.value;
  throw new OmiumError(`what was received does not fit its schema: ${read.issues.map((issue) => issue.message).join('; ')}`, 'schema_violation');
}

function isStandard<T>(source: Schema<T>): source is StandardSchema<T> {
  return '~standard' in source && typeof (source as StandardSchema<T>)['~standard']?.validate === 'function';
}
