import { describe, expect, it } from 'vitest';
import type { AnalyticsView } from '~/api/generated';
import { columns, csvOf, totals } from '~/model/analytics';
import { anchorOf, pagesOf, renderDoc, resolveLink, searchDocs } from '~/model/docs';

const pages = pagesOf({
  '../../../../docs/reference/billing.md': '# Billing\n\nA ledger, see [errors](../errors/README.md#codes) and [the web](https://example.com).\n\n## Leases, in blocks\n\n| a | b |\n|---|---|\n| 1 | 2 |\n',
  '../../../../docs/ARCHITECTURE.md': '# Architecture\n\nThe event log is the only truth.\n',
  '../../../../docs/errors/timeout.md': '# `timeout`\n\nA lease of time.\n',
});

describe('the docs', () => {
  it('are read from ideas to errors', () => expect(pages.map(({ path, title }) => [path, title])).toEqual([['ARCHITECTURE', 'Architecture'], ['reference/billing', 'Billing'], ['errors/timeout', 'timeout']]));
  it('are found by all of the words, titles first', () => {
    expect(searchDocs(pages, 'LEASE').map(({ page }) => page.path)).toEqual(['reference/billing', 'errors/timeout']);
    expect(searchDocs(pages, 'lease timeout').map(({ page }) => page.path)).toEqual(['errors/timeout']);
    expect(searchDocs(pages, ' ')).toEqual([]);
  });
  it.each([['../errors/README.md#codes', '/guide/errors/README#codes'], ['pricing.md', '/guide/reference/pricing'], ['https://x.example', 'https://x.example'], ['#here', '#here']])('lead from %s to %s', (href, to) => expect(resolveLink('reference/billing', href)).toBe(to));
  it('are HTML with anchors, links of the console’s, and tables that scroll', () => {
    const html = renderDoc(pages[1]!);
    expect(html).toContain('<h2 id="leases-in-blocks">');
    expect(html).toContain('href="/guide/errors/README#codes"');
    expect(html).toContain('<div class="doc-table" tabindex="0"');
    expect(anchorOf('Live, by `SSE`')).toBe('live-by-sse');
  });
});

describe('analytics', () => {
  const point = (at: string, succeeded: number, failed: number) => ({ at, count: succeeded + failed, by_status: { succeeded, failed } });
  const view: AnalyticsView = {
    from: '', to: '', group_by: 'workflow', bucket: 'day',
    groups: [{ key: 'a', count: 5, by_status: { succeeded: 4, failed: 1 }, points: [point('2026-11-20', 4, 1)] }, { key: '=b,"c"', count: 3, by_status: { succeeded: 2, running: 1 }, points: [point('2026-11-20', 1, 0), point('2026-11-19', 1, 0)] }],
  };
  it('count what ended, and its share that succeeded', () => expect(totals(view.groups)).toEqual({ count: 8, succeeded: 6, failed: 1, successShare: 6 / 7 }));
  it('add the groups up over time', () => expect(columns(view).map(({ at, count }) => [at, count])).toEqual([['2026-11-19', 1], ['2026-11-20', 6]]));
  it('fill the span that was asked for, also where nothing ran', () => {
    const days = columns({ ...view, from: '2026-11-18T09:00:00.000Z', to: '2026-11-21T09:00:00.000Z' });
    expect(days.map(({ at, count }) => [at.slice(0, 10), count])).toEqual([['2026-11-19', 1], ['2026-11-20', 6], ['2026-11-21', 0]]);
  });
  it('are exported so that no cell becomes a formula', () => expect(csvOf(view).split('\r\n').slice(0, 3)).toEqual(['workflow,at,count,failed,succeeded', 'a,2026-11-20,5,1,4', '"\'=b,""c""",2026-11-20,1,0,1']));
});
