import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
// @ts-expect-error A script without types.
import { generate, typeOf } from '../scripts/generate.mjs';

const golden = JSON.parse(readFileSync(fileURLToPath(new URL('../../tests/golden/openapi/v1.json', import.meta.url)), 'utf8'));

describe('types from the OpenAPI document', () => {
  it.each([
    [{ $ref: '#/components/schemas/StepView' }, 'StepView'],
    [{ type: 'array', items: { type: 'string', enum: ['a', 'b'] } }, '("a" | "b")[]'],
    [{ type: ['integer', 'null'] }, 'number | null'],
    [{ anyOf: [{ $ref: '#/components/schemas/AgentEditsInput' }, { type: 'null' }] }, 'AgentEditsInput | null'],
    [{ type: 'object', additionalProperties: { type: 'integer' } }, 'Record<string, number>'],
    [{ description: 'Anything.' }, 'Json'],
  ])('%j', (schema, type) => expect(typeOf(schema)).toBe(type));

  it('refuses what it does not know', () => expect(() => typeOf({ type: 'tuple' })).toThrow('tuple'));

  it('has every record and every operation', () => {
    const made = generate(golden) as string;
    for (const name of Object.keys(golden.components.schemas)) expect(made).toContain(`export interface ${name} {`);
    for (const item of Object.values<object>(golden.paths)) {
      for (const operation of Object.values(item)) expect(made).toContain(`  ${operation.operationId}: { method:`);
    }
  });

  it('marks what may be absent', () => {
    const made = generate({ paths: {}, components: { schemas: { Thing: { properties: { id: { type: 'string' }, note: { type: 'string' } }, required: ['id'] } } } });
    expect(made).toContain('export interface Thing {\n  id: string;\n  note?: string;\n}');
  });
});
