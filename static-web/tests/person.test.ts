import { http, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { account } from '~/api/account';
import { api } from '~/api/client';
import { currentCredential, currentKey, sessionMark, signIn, signInPerson, signOut, wordIn } from '~/api/session';

const server = setupServer();
const realFetch = globalThis.fetch;

beforeAll(() => {
  server.listen({ onUnhandledRequest: 'error' });
  const patched = globalThis.fetch;
  globalThis.fetch = (input, init) => patched(typeof input === 'string' && input.startsWith('/') ? `http://omium.test${input}` : input, init);
});
afterEach(() => {
  server.resetHandlers();
  signOut();
});
afterAll(() => {
  server.close();
  globalThis.fetch = realFetch;
});

/** A server whose access token has just run out: everything is 401 until the session was renewed. */
function expired(renewal: () => Response) {
  const seen = { renewals: 0, csrf: [] as (string | null)[] };
  let open = false;
  server.use(
    http.post('*/v1/auth/refresh', () => {
      seen.renewals += 1;
      const answer = renewal();
      open = answer.ok;
      return answer;
    }),
    http.all('*/v1/*', ({ request }) => {
      if (!open) return HttpResponse.json({ code: 'unauthenticated' }, { status: 401 });
      seen.csrf.push(request.headers.get('omium-csrf'));
      return HttpResponse.json({ items: [] });
    }),
  );
  return seen;
}

describe('a person’s session', () => {
  it('is renewed once for all requests that find it out of date, and they go through', async () => {
    signInPerson('first');
    const seen = expired(() => HttpResponse.json({ csrf: 'second' }));
    await Promise.all([api.health(), account.keys(), account.topUp(20)]);
    expect(seen.renewals).toBe(1);
    // Reading needs no CSRF word, changing carries the renewed one.
    expect(seen.csrf.filter((word) => word !== null)).toEqual(['second']);
    expect(currentCredential()).toMatchObject({ kind: 'person', csrf: 'second' });
  });

  it('ends when it cannot be renewed', async () => {
    signInPerson('first');
    expired(() => HttpResponse.json({ code: 'sign_in_failed' }, { status: 401 }));
    await expect(api.health()).rejects.toMatchObject({ status: 401 });
    expect(currentCredential()).toBeNull();
  });

  it('survives a wrong password', async () => {
    signIn('omk_dev_a_b');
    server.use(http.post('*/v1/auth/login', () => HttpResponse.json({ code: 'sign_in_failed' }, { status: 401 })));
    await expect(account.signIn({ email: 'a@x', password: 'no' })).rejects.toMatchObject({ code: 'sign_in_failed' });
    expect(currentKey()).toBe('omk_dev_a_b');
  });

  it('takes the place of a key, and looks the same after a renewal', () => {
    signIn('omk_dev_a_b');
    signInPerson('one');
    expect(currentKey()).toBeNull();
    const before = sessionMark();
    signInPerson('two', true);
    expect(sessionMark()).toBe(before);
  });
});

it.each([['#invitation=omi_1', 'invitation', 'omi_1'], ['#verify=c', 'verify', 'c'], ['', 'invitation', null]] as const)('the address %j brings %s', (fragment, name, value) => expect(wordIn(fragment, name)).toBe(value));
