import { readFileSync } from 'node:fs';
import { setupServer } from 'msw/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handlers } from '~/mock/handlers';

/** The mock answers as the API does: every answer is held to the OpenAPI document that the server's own answers are held to. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
}
interface Operation {
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}
const golden = JSON.parse(readFileSync(new URL('../../tests/golden/openapi/v1.json', import.meta.url), 'utf8')) as { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, Schema> } };

const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/** What of a value a schema does not allow, by place. Members that the schema does not name count: the console would read what is never sent. */
function misfits(value: unknown, schema: Schema, at = ''): string[] {
  if (schema.$ref) return misfits(value, golden.components.schemas[schema.$ref.split('/').at(-1)!]!, at);
  if (schema.anyOf) return schema.anyOf.some((one) => misfits(value, one, at).length === 0) ? [] : [`${at}: fits none of ${schema.anyOf.length}`];
  const types = schema.type === undefined ? undefined : [schema.type].flat().map((type) => (type === 'integer' ? 'number' : type));
  if (types && !types.includes(typeOf(value))) return [`${at}: is ${typeOf(value)}, not ${types.join(' or ')}`];
  if (schema.enum && !schema.enum.includes(value)) return [`${at}: ${JSON.stringify(value)} is none of ${schema.enum.join(', ')}`];
  if (Array.isArray(value)) return schema.items ? value.flatMap((item, index) => misfits(item, schema.items!, `${at}/${index}`)) : [];
  if (value === null || typeof value !== 'object') return [];
  const members = value as Record<string, unknown>;
  const missing = (schema.required ?? []).filter((name) => members[name] === undefined).map((name) => `${at}/${name}: is missing`);
  const inner = Object.entries(members).flatMap(([name, member]) => {
    const known = schema.properties?.[name] ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
    if (known) return misfits(member, known, `${at}/${name}`);
    return schema.properties && schema.additionalProperties !== true ? [`${at}/${name}: is not known`] : [];
  });
  return [...missing, ...inner];
}

const run = 'exe_01JD6QK2ZC0MPANYX42';
const workflow = { spec: { omium: 'v0', name: 'new', steps: [{ id: 'a', type: 'decision' }] } };
const asked: [method: string, route: string, path?: string, body?: unknown][] = [
  ['get', '/v1/me'], ['get', '/v1/health-summary'], ['get', '/v1/analytics', '/v1/analytics?group_by=workflow&bucket=day&from=2026-11-01T00:00:00Z'],
  ['get', '/v1/analytics/recovery', '/v1/analytics/recovery?group_by=workflow&from=2026-11-01T00:00:00Z'], ['get', '/v1/analytics/recovery', '/v1/analytics/recovery?group_by=failure_class&from=2026-11-01T00:00:00Z'], ['get', '/v1/keys'], ['get', '/v1/members'], ['get', '/v1/invitations'],
  ['get', '/v1/billing'], ['get', '/v1/billing/transactions'], ['get', '/v1/billing/verify'], ['get', '/v1/audit'], ['get', '/v1/audit/verify'], ['get', '/v1/policies'], ['get', '/v1/policies/versions'], ['get', '/v1/retention'], ['get', '/v1/secrets'], ['get', '/v1/sso'],
  ['get', '/v1/workflows'], ['get', '/v1/workflows/{name}', '/v1/workflows/customer-onboarding'], ['get', '/v1/workflows/{name}/versions/{version}', '/v1/workflows/customer-onboarding/versions/1'],
  ['get', '/v1/executions'], ['get', '/v1/executions', '/v1/executions?limit=200'], ['get', '/v1/executions/{id}', `/v1/executions/${run}`], ['get', '/v1/executions/{id}', '/v1/executions/exe_01JD6SETASIDE0000001'], ['get', '/v1/executions/{id}/state', `/v1/executions/${run}/state?at=3`], ['get', '/v1/executions/{id}/timeline', `/v1/executions/${run}/timeline`],
  ['get', '/v1/executions/{id}/graph', `/v1/executions/${run}/graph`], ['get', '/v1/executions/{id}/events', `/v1/executions/${run}/events`], ['get', '/v1/executions/{id}/steps', `/v1/executions/${run}/steps`], ['get', '/v1/executions/{id}/diff', `/v1/executions/${run}/diff?from=2&to=4`], ['get', '/v1/executions/{id}/verify', `/v1/executions/${run}/verify`],
  ['get', '/v1/failures'], ['get', '/v1/failures/{id}', `/v1/failures/${run}.terms.1.1`], ['get', '/v1/residue'], ['get', '/v1/reviews'],
  ['post', '/v1/workflows/validate', undefined, workflow], ['post', '/v1/workflows/suggest', undefined, workflow], ['post', '/v1/workflows', undefined, workflow], ['post', '/v1/policies/dry-run', undefined, { policy: {} }], ['put', '/v1/policies', undefined, { policy: {} }],
  ['post', '/v1/keys', undefined, { name: 'k' }], ['post', '/v1/invitations', undefined, { email: 'a@b.example', role: 'viewer' }], ['post', '/v1/billing/topups', undefined, { amount_usd: 20 }], ['put', '/v1/retention', undefined, { executions_days: 30, legal_hold: false }],
  ['post', '/v1/executions', undefined, { workflow: 'customer-onboarding', input: {} }], ['post', '/v1/executions/{id}/rollback', `/v1/executions/${run}/rollback`, { to: 'credit_scored', scope: 'all', preview: true }], ['post', '/v1/executions/{id}/fork', `/v1/executions/${run}/fork`, { at: 2, mode: 'sandbox', preview: true }],
  ['post', '/v1/reviews/{id}/test', '/v1/reviews/rev_01JD6QK2ZC0MPANYX42/test', { edits: { prompt: '2.5 to 8.5' } }], ['post', '/v1/residue/{id}/resolve', '/v1/residue/res_1/resolve', { note: 'Recalled by telephone.' }],
];

describe('the mock server', () => {
  const server = setupServer(...handlers);
  beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
  afterAll(() => server.close());

  it.each(asked)('answers %s %s as the API does', async (method, route, path = route, body = undefined) => {
    const response = await fetch(`http://omium.test${path}`, { method, headers: { Authorization: 'Bearer omk_mock', ...(body ? { 'Content-Type': 'application/json' } : {}) }, ...(body ? { body: JSON.stringify(body) } : {}) });
    const documented = golden.paths[route]?.[method]?.responses[String(response.status)];
    expect(documented, `${response.status}: ${await response.clone().text()}`).toBeDefined();
    const schema = documented!.content?.['application/json']?.schema;
    if (schema) expect(misfits(await response.json(), schema)).toEqual([]);
  });
});
