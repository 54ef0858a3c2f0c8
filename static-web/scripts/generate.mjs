// Types of the API's wire records, from the OpenAPI document that the server is held to: src/api/generated.ts, or the file that is named (the SDK's).
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const DOCUMENT = new URL('../../tests/golden/openapi/v1.json', import.meta.url);
const OUTPUT = process.argv[2] ? resolve(process.argv[2]) : new URL('../src/api/generated.ts', import.meta.url);
const HEADER = `// Made by \`npm run generate\` from tests/golden/openapi/v1.json; not to be edited.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
`;

/** The TypeScript type of a schema; what a document of ours does not hold is refused, never guessed. */
export function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' | ');
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(' | ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type })).join(' | ');
  switch (schema.type) {
    case undefined: return 'Json';
    case 'null': return 'null';
    case 'string': return 'string';
    case 'boolean': return 'boolean';
    case 'integer':
    case 'number': return 'number';
    case 'array': return arrayOf(typeOf(schema.items));
    case 'object': return schema.properties ? `{ ${members(schema).join(' ')} }` : `Record<string, ${typeOf(schema.additionalProperties ?? {})}>`;
    default: throw new Error(`no type for ${JSON.stringify(schema)}`);
  }
}

/** The module for a document. */
export function generate(document) {
  const records = Object.entries(document.components.schemas).map(([name, schema]) => `
${comment(schema.description, '')}export interface ${name} {
${members(schema).map((line) => line.split('\n').map((part) => `  ${part}`).join('\n')).join('\n')}
}
`);
  return HEADER + records.join('') + operations(document);
}

const arrayOf = (type) => (/[ |]/.test(type) ? `(${type})[]` : `${type}[]`);

function comment(text, indent) {
  return text ? `${indent}/** ${text.replaceAll('*/', '*\\/')} */\n` : '';
}

function members(schema) {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, property]) =>
    `${comment(property.description, '')}${/^[a-z_]\w*$/i.test(name) ? name : JSON.stringify(name)}${required.has(name) ? '' : '?'}: ${typeOf(property)};`);
}

/** What each operation takes and answers, by its name. */
function operations(document) {
  const lines = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const query = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
      const parts = [`method: '${method.toUpperCase()}'`, `path: ${JSON.stringify(path)}`];
      if (query.length > 0) parts.push(`query: { ${query.map((parameter) => `${parameter.name}${parameter.required ? '' : '?'}: ${typeOf(parameter.schema)};`).join(' ')} }`);
      const body = operation.requestBody?.content['application/json']?.schema;
      if (body) parts.push(`body: ${typeOf(body)}`);
      parts.push(`answer: ${answer(operation)}`);
      lines.push(`${comment(operation.summary, '  ')}  ${operation.operationId}: { ${parts.join('; ')} };`);
    }
  }
  return `\n/** Every operation, by its name. */\nexport interface Operations {\n${lines.join('\n')}\n}\n`;
}

function answer(operation) {
  const types = new Set();
  for (const [status, response] of Object.entries(operation.responses)) {
    if (!status.startsWith('2')) continue;
    const content = Object.entries(response.content ?? {});
    if (content.length === 0) types.add('undefined');
    for (const [media, { schema }] of content) types.add(media === 'application/json' ? typeOf(schema) : 'string');
  }
  return [...types].join(' | ') || 'undefined'; // A redirect answers nothing to read.
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(OUTPUT, generate(JSON.parse(readFileSync(DOCUMENT, 'utf8'))));
}
