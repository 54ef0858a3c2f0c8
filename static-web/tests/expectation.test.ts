import { describe, expect, it } from 'vitest';
import { gauge, numberSeen, readActual, readCheck } from '~/model/expectation';

describe('readCheck', () => {
  it.each([
    ['output.apr >= 2.5 && output.apr <= 8.5', 'apr', 'between 2.5 and 8.5', { low: 2.5, high: 8.5 }],
    ['2.5 <= output.apr && 8.5 >= output.apr', 'apr', 'between 2.5 and 8.5', { low: 2.5, high: 8.5 }],
    ['output.apr > 0 && output.apr < 10', 'apr', 'more than 0 and less than 10', { low: 0, high: 10 }],
    ['output.credit_score >= 300', 'credit score', 'at least 300', { low: 300 }],
    ['output.status == "approved"', 'status', '“approved”', undefined],
    ['output.ok == true', 'ok', 'true', undefined],
  ])('%s reads as words', (check, subject, phrase, range) => {
    expect(readCheck(check)).toMatchObject({ subject, phrase, range });
  });

  it.each([
    ['handoff.records.said == handoff.records.seen', 'said equals seen'],
    ['output.total == input.total', 'output.total equals input.total'],
  ])('%s compares two paths', (check, phrase) => expect(readCheck(check).phrase).toBe(phrase));

  it.each(['size(output.customers) > 0', 'output.a > 1 && output.b > 2', 'output.term in [12, 24]', 'a || b', 'output.x > 1 && output.x > 2 && output.x < 9', '', undefined])(
    '%s is left as written', (check) => expect(readCheck(check)).toEqual({ subject: undefined, phrase: undefined, range: undefined, path: undefined }),
  );
});

describe('what was seen', () => {
  it('lists every path', () => expect(readActual({ 'records.said': 100, 'records.seen': 47 })).toEqual([{ path: 'records.said', value: 100 }, { path: 'records.seen', value: 47 }]));
  it('gives a bare value the path of the check', () => expect(readActual(0, 'output.apr')).toEqual([{ path: 'output.apr', value: 0 }]));
  it('finds the number, zero too', () => expect(numberSeen({ 'output.apr': 0, 'output.term': 12 }, 'output.apr')).toBe(0));
  it('finds none among several others', () => expect(numberSeen({ a: 1, b: 2 }, 'c')).toBeUndefined());
  it('finds none where the value is no number', () => expect(numberSeen({ 'output.apr': '0 %' }, 'output.apr')).toBeUndefined());
});

describe('gauge', () => {
  it('puts what was seen outside or inside the band', () => {
    const drawn = gauge({ low: 2.5, high: 8.5 }, [0, 5.2])!;
    expect(drawn.marks.map(({ inside }) => inside)).toEqual([false, true]);
    expect(drawn.marks[0]!.at).toBeLessThan(drawn.bandFrom);
    expect(drawn.marks[1]!.at).toBeGreaterThan(drawn.bandFrom);
    expect(drawn.marks[1]!.at).toBeLessThan(drawn.bandTo);
  });
  it('keeps everything on the line', () => {
    for (const mark of gauge({ low: 1, high: 2 }, [-1000, 1000])!.marks) {
      expect(mark.at).toBeGreaterThan(0);
      expect(mark.at).toBeLessThan(100);
    }
  });
  it.each([[{ low: 1 }, [2]], [undefined, [2]], [{ low: 1, high: 2 }, []], [{ low: 2, high: 2 }, [2]]])('needs both ends and a value: %j %j', (range, seen) => expect(gauge(range, seen)).toBeUndefined());
});
