/** What is sent again, what is waited for, and what each refusal becomes; against a server that answers as it is told. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiError, Client, CreditsExhausted, ServerUnreachable, type StreamEvent } from '../src/index.js';
import { Transport } from '../src/transport.js';
import { line } from './support.js';

type Reply = (response: ServerResponse, request: IncomingMessage) => void;

describe('transport', () => {
  let server: Server;
  let url: string;
  let replies: Reply[];
  let asked: IncomingMessage[];
  beforeEach(async () => {
    [replies, asked] = [[], []];
    server = createServer((request, response) => {
      asked.push(request);
      request.resume().on('end', () => replies.shift()!(response, request));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const says = (status: number, body: string, headers: Record<string, string> = {}): Reply => (response) => response.writeHead(status, headers).end(body);
  const dies: Reply = (response) => response.destroy();
  const transport = (): Transport => new Transport({ url, apiKey: 'k' });

  it('Limited_IsAskedAgainWhenTheServerSays', async () => {
    replies.push(says(429, '{}', { 'Retry-After': '0' }), says(200, '{"a":1}'));
    expect(await transport().request('GET', '/x')).toEqual({ a: 1 });
  });

  it('Unavailable_IsAskedAgainWithPatience_AndRefusedWithout', async () => {
    replies.push(says(503, '{}'), dies, says(200, '1'));
    expect(await transport().request('GET', '/x', undefined, { patienceMs: 5_000 })).toBe(1);
    replies.push(says(503, '{"code":"too_many_listeners","detail":"Later."}'));
    await line(ApiError, () => transport().request('GET', '/x'), 'Later.');
  });

  it('AnswerThatIsLost_IsAskedForAgainUnderTheSameKey', async () => {
    replies.push(dies, says(201, '{"id":"exe_1"}'));
    expect(await new Client({ url, apiKey: 'k' }).start('w', { n: 1 })).toEqual({ id: 'exe_1' });
    const keys = asked.map((request) => request.headers['idempotency-key']);
    expect([keys.length, new Set(keys).size, keys[0]?.length]).toEqual([2, 1, 36]);
  });

  it('OutOfCredits_IsItsOwnError', async () => {
    replies.push(says(402, '{"code":"CREDITS_EXHAUSTED","detail":"The balance is 0."}'));
    await line(CreditsExhausted, () => transport().request('GET', '/x'), 'top up', 'The balance is 0.');
  });

  it('AnswerThatIsNoProblemDocument_IsOneLineAllTheSame', async () => {
    replies.push(says(502, '<html>\nbad gateway</html>'), says(400, '[1]'));
    expect((await line(ApiError, () => transport().request('GET', '/x'), '502')).code).toBe('http_502');
    await line(ApiError, () => transport().request('GET', '/x'), '400');
  });

  it('AnswerThatNeverComes_IsGivenUpAfterItsTime', async () => {
    replies.push(() => undefined);
    await line(ServerUnreachable, () => new Transport({ url, apiKey: 'k', timeoutMs: 50 }).request('GET', '/x'), url);
  });

  it('Pages_AreReadOneByOneUntilTheLast', async () => {
    replies.push(says(200, '{"items":[{"id":"a"},{"id":"b"}],"next_cursor":"c 1"}'), says(200, '{"items":[{"id":"c"}]}'));
    const ids = [];
    for await (const found of new Client({ url, apiKey: 'k' }).executions({ status: 'failed' })) ids.push(found.id);
    expect([ids, asked.map((request) => request.url)]).toEqual([['a', 'b', 'c'], ['/v1/executions?status=failed&limit=50', '/v1/executions?status=failed&limit=50&cursor=c+1']]);
  });

  it('Pages_EndAtTheLimit', async () => {
    replies.push(says(200, '{"items":[{"id":"a"},{"id":"b"}],"next_cursor":"c"}'));
    const ids = [];
    for await (const found of new Client({ url, apiKey: 'k' }).executions({ limit: 2 })) ids.push(found.id);
    expect([ids, asked.map((request) => request.url)]).toEqual([['a', 'b'], ['/v1/executions?limit=2']]);
  });

  it('Stream_ThatBreaks_IsTakenUpBehindItsLastRecordAndRepeatsNothing', async () => {
    const record = (seq: number, type = 'step.scheduled'): string => `id: ${seq}\r\nevent: record\r\ndata: ${JSON.stringify({ seq, events: [{ type }] })}\r\n\r\n`;
    replies.push(
      (response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(`: alive\n\n${record(1)}event: delta\ndata: {"text":\ndata: "é"}\n\n${record(2)}event: rec`, () => response.destroy());
      },
      dies,
      (response) => void response.writeHead(200).end(record(2) + record(3) + record(4, 'execution.succeeded')),
    );
    const seen: StreamEvent[] = [];
    for await (const event of new Client({ url, apiKey: 'k' }).stream('exe_1')) seen.push(event);
    expect(seen.map((event) => (event.type === 'record' ? event.record.seq : event.delta))).toEqual([1, { text: 'é' }, 2, 3, 4]);
    expect(asked.map((request) => request.headers['last-event-id'])).toEqual(['0', '2', '2']);
  });

  it('Stream_OfWhatIsNotThere_IsRefusedAtOnce', async () => {
    replies.push(says(404, '{"code":"execution_not_found","detail":"No execution exe_1."}'));
    await line(ApiError, async () => await new Client({ url, apiKey: 'k' }).stream('exe_1').next(), 'No execution exe_1.');
  });
});
