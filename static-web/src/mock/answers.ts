import { http, HttpResponse, type DefaultBodyType, type HttpHandler, type StrictRequest } from 'msw';
import type { Page, Problem } from '~/api/types';
import { World } from './world';

export type Request = StrictRequest<DefaultBodyType>;
const worlds = new Map<string, World>();

/** The key chooses the world: one with `empty` in it is a fresh installation, one with `error` a server in trouble. */
function worldOf(request: Request): World | Response {
  const key = request.headers.get('authorization')?.replace('Bearer ', '') ?? '';
  // A person's session is in cookies, which say nothing here: it is of the world in use.
  if (key !== '' && !key.startsWith('omk_')) return problem(401, 'UNAUTHORIZED', 'This key is not known.');
  if (key.includes('bad')) return problem(401, 'UNAUTHORIZED', 'This key is not known.');
  if (key.includes('error')) return problem(503, 'STORE_UNAVAILABLE', 'The event log cannot be read: the disk is full.');
  if (!worlds.has(key)) worlds.set(key, new World(!key.includes('empty')));
  return worlds.get(key)!;
}

export function problem(status: number, code: string, detail: string, errors?: Problem['errors']): Response {
  return HttpResponse.json({ type: `/docs/errors/${code}`, title: code, status, code, detail, ...(errors ? { errors } : {}) }, { status, headers: { 'Content-Type': 'application/problem+json' } });
}

export const missing = (what: string) => problem(404, 'NOT_FOUND', `There is no such ${what}.`);

export function paged<T>(items: T[], request: Request): Response {
  const search = new URL(request.url).searchParams;
  const from = Number(search.get('cursor') ?? 0);
  const limit = Number(search.get('limit') ?? 30);
  const page: Page<T> = { items: items.slice(from, from + limit) };
  if (from + limit < items.length) page.next_cursor = String(from + limit);
  return HttpResponse.json(page);
}

type Params = Record<string, string | readonly string[] | undefined>;
type Answer = (world: World, params: Params, request: Request) => Response | Promise<Response>;

export function on(method: 'get' | 'post' | 'put' | 'delete', path: string, answer: Answer): HttpHandler {
  return http[method](`*/v1${path}`, async ({ request, params }) => {
    const world = worldOf(request);
    return world instanceof Response ? world : answer(world, params, request);
  });
}

export const ok = (body: unknown, status = 200): Response => HttpResponse.json(body as never, { status });
