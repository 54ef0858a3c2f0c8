import { setupServer } from 'msw/node';
import { http, HttpResponse } from 'msw';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { api } from '~/api/client';
import { ApiError } from '~/api/errors';
import { adoptKeyFromAddress, currentKey, keyInFragment, signIn, signOut } from '~/api/session';
import { followExecution } from '~/api/stream';
import type { EventRecord } from '~/api/types';
import { handlers } from '~/mock/handlers';

const paused = 'exe_01JD6QK2ZC0MPANYX42';
const origin = 'http://omium.test';
const server = setupServer(...handlers);
const realFetch = globalThis.fetch;

beforeAll(() => {
  server.listen({ onUnhandledRequest: 'error' });
  // The client asks for paths; in a browser the page's origin stands before them.
  const patched = globalThis.fetch;
  globalThis.fetch = (input, init) => patched(typeof input === 'string' && input.startsWith('/') ? origin + input : input, init);
});
beforeEach(() => signIn(`omk_test_${Math.random()}`));
afterEach(() => server.resetHandlers());
afterAll(() => {
  server.close();
  globalThis.fetch = realFetch;
});

const caught = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => undefined, (error: unknown) => error);

describe('errors', () => {
  it('carry code, detail and every finding', async () => {
    const error = await caught(api.saveWorkflow('name: Bad Name\nsteps: []\n'));
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 422, code: 'SPEC_INVALID', detail: 'The workflow has errors.', docs: '/docs/errors/SPEC_INVALID' });
    expect((error as ApiError).errors.map(({ pointer }) => pointer)).toEqual(['/omium', '/name', '/steps']);
  });
  it('without a problem document still say what kind they are', async () => {
    server.use(http.get('*/v1/health-summary', () => new HttpResponse('<html>', { status: 502, headers: { 'Content-Type': 'text/html' } })));
    expect(await caught(api.health())).toMatchObject({ status: 502, code: 'HTTP_502' });
  });
  it('with a cut-off problem document too', async () => {
    server.use(http.get('*/v1/health-summary', () => new HttpResponse('{"code":', { status: 500, headers: { 'Content-Type': 'application/problem+json' } })));
    expect(await caught(api.health())).toMatchObject({ status: 500, code: 'HTTP_500' });
  });
  it('tell a server that does not answer', async () => {
    server.use(http.get('*/v1/health-summary', () => HttpResponse.error()));
    expect(await caught(api.health())).toMatchObject({ status: 0, code: 'UNREACHABLE' });
  });
});

describe('session', () => {
  it('ends when the key is refused', async () => {
    signIn('omk_bad');
    expect(await caught(api.health())).toMatchObject({ status: 401 });
    expect(currentKey()).toBeNull();
  });
  it('stays when only a key to try is refused', async () => {
    const before = currentKey();
    expect(await caught(api.me('omk_bad'))).toMatchObject({ status: 401 });
    expect(currentKey()).toBe(before);
  });
  it.each([['#key=omk_dev_a_b', 'omk_dev_a_b'], ['#key=oms_x', 'oms_x'], ['#other=1', null], ['', null], ['#key=', null], ['#key=javascript', null]])('reads %j', (fragment, key) => expect(keyInFragment(fragment)).toBe(key));
  it('takes the key out of the address', () => {
    signOut();
    let address = '';
    const history = { state: null, replaceState: (_: unknown, __: string, next: string) => { address = next; } };
    adoptKeyFromAddress({ hash: '#key=omk_dev_a_b', pathname: '/executions', search: '?status=paused' } as Location, history as unknown as History);
    expect(address).toBe('/executions?status=paused');
    expect(currentKey()).toBe('omk_dev_a_b');
  });
  it('sends the key', async () => {
    let sent: string | null = null;
    server.use(http.get('*/v1/health-summary', ({ request }) => {
      sent = request.headers.get('authorization');
      return HttpResponse.json({});
    }));
    signIn('omk_dev_a_b');
    await api.health();
    expect(sent).toBe('Bearer omk_dev_a_b');
  });
});

describe('requests', () => {
  it('page by cursor to the end', async () => {
    const first = await api.executions({ limit: 30 });
    const second = await api.executions({ limit: 30, cursor: first.next_cursor! });
    expect([first.items.length, second.items.length, second.next_cursor]).toEqual([30, 10, undefined]);
  });
  it.each([['omium: v0\nname: x\n', 'text/yaml'], ['{"omium":"v0"}', 'application/json']])('send %j as %s', async (text, type) => {
    let sent: string | null = null;
    server.use(http.post('*/v1/workflows/validate', ({ request }) => {
      sent = request.headers.get('content-type');
      return HttpResponse.json({ valid: true, problems: [] });
    }));
    await api.validateWorkflow(text);
    expect(sent).toBe(type);
  });
  it('a decision on a review that is closed is refused', async () => {
    const { review } = await api.failure(`${paused}.terms.1.1`);
    await api.decide(review!.id, { decision: 'skip', digest: review!.digest });
    expect(await caught(api.decide(review!.id, { decision: 'approve', digest: review!.digest }))).toMatchObject({ status: 409, code: 'REVIEW_CLOSED' });
  });
  it('a test shows guards and output', async () => {
    const { review } = await api.failure(`${paused}.terms.1.1`);
    expect(await api.testFix(review!.id, { prompt: 'Between 2.5 and 8.5.' })).toMatchObject({ outcome: 'passed', output: { apr: 5.2 } });
    expect(await api.testFix(review!.id, { prompt: 'As you like.' })).toMatchObject({ outcome: 'failed', output: { apr: 0 } });
  });
});

describe('stream', () => {
  const record = (seq: number): string => `event: record\nid: ${seq}\ndata: ${JSON.stringify({ seq })}\n\n`;

  it('takes up again after an end, names the last record, and repeats none', async () => {
    const asked: (string | null)[] = [];
    const answers = [record(3) + record(4), record(4) + record(5)];
    server.use(http.get('*/stream', ({ request }) => {
      asked.push(request.headers.get('last-event-id'));
      return new HttpResponse(answers.shift() ?? '', { headers: { 'Content-Type': 'text/event-stream' } });
    }));
    const abort = new AbortController();
    const got: number[] = [];
    await followExecution({
      execution: 'exe_1', after: 2, signal: abort.signal, onState: () => undefined,
      onRecord: ({ seq }: EventRecord) => {
        got.push(seq);
        if (seq === 5) abort.abort();
      },
    });
    expect(got).toEqual([3, 4, 5]);
    expect(asked).toEqual(['2', '4']);
  });

  it('says when it broke off', async () => {
    server.use(http.get('*/stream', () => HttpResponse.error()));
    const abort = new AbortController();
    const states: string[] = [];
    await followExecution({ execution: 'exe_1', after: 0, signal: abort.signal, onRecord: () => undefined, onState: (state) => { states.push(state); if (state === 'interrupted') abort.abort(); } });
    expect(states).toEqual(['connecting', 'interrupted']);
  });

  it('follows the mock to its end', async () => {
    const abort = new AbortController();
    const commands: string[] = [];
    await followExecution({ execution: paused, after: 0, signal: abort.signal, onState: () => undefined, onRecord: ({ seq, command }) => { commands.push(command); if (seq === 6) abort.abort(); } });
    expect(commands).toEqual(['start', 'step_result', 'step_result', 'step_result', 'rollback_settled', 'policy']);
  });
});
