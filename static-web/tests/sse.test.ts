import { describe, expect, it } from 'vitest';
import { StreamReader } from '~/model/sse';

const text = ': open\n\nevent: record\nid: 7\ndata: {"seq":7}\n\nevent: record\nid: 8\ndata: {"seq":\ndata: 8}\n\n';
const messages = [{ event: 'record', id: '7', data: '{"seq":7}' }, { event: 'record', id: '8', data: '{"seq":\n8}' }];

describe('StreamReader', () => {
  it('reads messages, skips comments, joins data lines', () => expect(new StreamReader().push(text)).toEqual(messages));

  it.each([1, 2, 3, 5, 7])('gives the same in chunks of %i', (size) => {
    const reader = new StreamReader();
    const got = [];
    for (let from = 0; from < text.length; from += size) got.push(...reader.push(text.slice(from, from + size)));
    expect(got).toEqual(messages);
  });

  it.each(['\r\n', '\r'])('takes %j as a line end, wherever a chunk is cut', (end) => {
    const reader = new StreamReader();
    const got = [];
    for (const character of `${text.replaceAll('\n', end)}:`) got.push(...reader.push(character));
    expect(got).toEqual(messages);
  });

  it('gives nothing for a message that is not whole', () => expect(new StreamReader().push('data: {"seq":7}\n')).toEqual([]));
  it('gives nothing without data', () => expect(new StreamReader().push('event: record\nid: 1\n\n')).toEqual([]));
  it('takes away one space only', () => expect(new StreamReader().push('data:  two\n\n')[0]!.data).toBe(' two'));
  it('keeps the last id for messages without one', () => expect(new StreamReader().push('id: 4\ndata: a\n\ndata: b\n\n').map(({ id }) => id)).toEqual(['4', '4']));
});
