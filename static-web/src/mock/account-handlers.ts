import { HttpResponse, type HttpHandler } from 'msw';
import type { CreateKeyRequest, InviteRequest, KeyView, RetentionViewInput } from '~/api/generated';
import { parsePolicy } from '~/model/policy';
import { http } from 'msw';
import { missing, ok, on, paged, problem } from './answers';

const done = () => new Response(null, { status: 204 });

/** The mock of everything about access and money. */
export const accountHandlers: HttpHandler[] = [
  http.post('*/v1/auth/login', async ({ request }) => {
    const { password } = (await request.json()) as { password: string };
    return password === 'wrong password' ? problem(401, 'sign_in_failed', 'E-mail and password do not go together.') : HttpResponse.json({ user: 'usr_ada', tenant: 'ten_x', role: 'admin', csrf: 'mock', access_expires_at: '', refresh_expires_at: '' });
  }),
  on('get', '/me', (_, __, request) => {
    const viewer = request.headers.get('authorization')?.includes('viewer');
    return ok({ tenant: 'Company X', environment: 'dev', key_id: 'key_first', version: '0.1.0', scopes: viewer ? ['read'] : ['read', 'run', 'work', 'write', 'propose', 'decide', 'admin'], ...(viewer ? { role: 'viewer' } : {}) });
  }),
  on('get', '/keys', ({ account }, _, request) => paged(account.keys, request)),
  on('post', '/keys', async ({ account }, _, request) => {
    const { name, environment, scopes, spend_cap_credits } = (await request.json()) as CreateKeyRequest;
    const id = `key_${Math.random().toString(36).slice(2, 10)}`;
    const key: KeyView = { id, name, environment: environment ?? 'dev', status: 'active', created_at: new Date().toISOString(), scopes: scopes ?? ['read', 'run', 'work', 'write', 'propose', 'decide'], created_by: 'key_first', ...(spend_cap_credits ? { spend_cap_credits } : {}) };
    account.keys.push(key);
    account.note('key.created', 'key_first', id);
    return ok({ ...key, secret: `omk_dev_${id.slice(4)}_mock-secret-shown-once` }, 201);
  }),
  on('post', '/keys/:id/rotate', ({ account }, { id }) => {
    const key = account.keys.find((one) => one.id === id);
    return key ? ok({ ...key, secret: `omk_dev_${String(id).slice(4)}_mock-secret-rotated` }) : missing('key');
  }),
  on('delete', '/keys/:id', ({ account }, { id }) => {
    account.keys = account.keys.map((key) => (key.id === id ? { ...key, status: 'revoked' } : key));
    account.note('key.revoked', 'key_first', String(id));
    return done();
  }),
  on('get', '/members', ({ account }, _, request) => paged(account.members, request)),
  on('put', '/members/:id', async ({ account }, { id }, request) => {
    const member = account.members.find((one) => one.id === id);
    if (!member) return missing('member');
    if (member.role === 'admin') return problem(409, 'last_admin', 'A tenant with members always has an administrator.');
    Object.assign(member, await request.json());
    return ok(member);
  }),
  on('delete', '/members/:id', ({ account }, { id }) => {
    account.members = account.members.filter((member) => member.id !== id);
    return done();
  }),
  on('get', '/invitations', ({ account }, _, request) => paged(account.invitations, request)),
  on('post', '/invitations', async ({ account }, _, request) => {
    const { email, role, teams } = (await request.json()) as InviteRequest;
    const made = { id: `inv_${account.invitations.length + 1}`, email, role, teams: teams ?? [], invited_by: 'key_first', created_at: new Date().toISOString(), expires_at: new Date(Date.now() + 7 * 86_400_000).toISOString() };
    account.invitations.push(made);
    return ok({ ...made, token: 'omi_mock_invitation' }, 201);
  }),
  on('delete', '/invitations/:id', ({ account }, { id }) => {
    account.invitations = account.invitations.filter((invitation) => invitation.id !== id);
    return done();
  }),
  on('get', '/billing', ({ account }) => ok(account.billing)),
  on('get', '/billing/transactions', ({ account }, _, request) => {
    const kind = new URL(request.url).searchParams.get('kind');
    return paged(account.transactions.filter((move) => !kind || move.kind === kind), request);
  }),
  on('get', '/billing/verify', ({ account }) => ok({ verdict: 'identical', records: account.transactions.length })),
  on('post', '/billing/topups', async (_, __, request) => {
    const { amount_usd } = (await request.json()) as { amount_usd: number };
    return ok({ id: 'cs_mock', amount_usd, credits: amount_usd * 1000, checkout_url: '/billing', gateway: 'sandbox' }, 201);
  }),
  on('get', '/audit', ({ account }, _, request) => {
    const search = new URL(request.url).searchParams;
    const fits = (name: string, value: string) => !search.get(name) || value === search.get(name) || (search.get(name)!.endsWith('.') && value.startsWith(search.get(name)!));
    return paged(account.audit.toReversed().filter((row) => fits('action', row.action) && fits('actor', row.actor) && fits('subject', row.subject)), request);
  }),
  on('get', '/audit/verify', ({ account }) => ok({ status: 'intact', rows: account.audit.length, head: account.audit.at(-1)!.hash })),
  on('get', '/policies', ({ account }) => ok(account.policies.at(-1) ?? { version: 0, warnings: [] })),
  on('get', '/policies/versions', ({ account }, _, request) => paged(account.policies, request)),
  on('put', '/policies', async ({ account }, _, request) => {
    const text = await request.text();
    const parsed = parsePolicy(text.startsWith('{') ? JSON.stringify((JSON.parse(text) as { policy: unknown }).policy) : text);
    const stored = { version: account.policies.length + 1, policy: parsed.ok ? parsed.value : null, at: new Date().toISOString(), by: 'key_first', warnings: [] };
    account.policies.push(stored);
    return ok(stored);
  }),
  on('post', '/policies/dry-run', (world) => {
    const items = [...world.failures.values()].map((failure) => ({
      failure_id: failure.id, execution: failure.execution, workflow: failure.workflow, step: failure.failure.step, class: failure.failure.class, code: failure.failure.code, at: failure.failure.at,
      caught: failure.failure.class === 'hallucination', by: 'trigger', would: failure.failure.class === 'hallucination' ? ['rollback_to_last_checkpoint', 'pause_and_notify'] : ['retry'], was: ['pause'], outcome: failure.status,
    }));
    return ok({ caught: items.filter(({ caught }) => caught).length, examined: items.length, items });
  }),
  on('get', '/retention', ({ account }) => ok(account.retention)),
  on('put', '/retention', async ({ account }, _, request) => {
    const { executions_days, legal_hold, reason } = (await request.json()) as RetentionViewInput;
    account.retention = { legal_hold: legal_hold ?? false, ...(executions_days ? { executions_days } : {}), ...(reason ? { reason } : {}) };
    return ok(account.retention);
  }),
  on('get', '/secrets', ({ account }, _, request) => paged(account.secrets, request)),
  on('put', '/secrets/:name', ({ account }, { name }) => {
    const secret = { name: String(name), set_at: new Date().toISOString(), set_by: 'key_first' };
    account.secrets = [...account.secrets.filter((one) => one.name !== name), secret];
    return ok(secret);
  }),
  on('delete', '/secrets/:name', ({ account }, { name }) => {
    account.secrets = account.secrets.filter((secret) => secret.name !== name);
    return done();
  }),
  on('get', '/sso', () => problem(404, 'sso_not_set', 'No issuer is connected.')),
];
