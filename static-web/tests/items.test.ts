import { describe, expect, it } from 'vitest';
import type { ItemCounts, StepView } from '~/api/types';
import { itemsNote, shownOutput } from '~/model/items';
import { summarise } from '~/model/trace';
import { Onboarding } from '~/mock/onboarding';

const fifty: ItemCounts = { total: 50, succeeded: 48, failed: 2, rolled_back: 2, skipped: 0, running: 0, waiting: 0, not_begun: 0 };

describe('items', () => {
  it('stand in a few words', () => {
    expect(itemsNote(fifty)).toBe('48 of 50, 2 rolled back');
    expect(itemsNote({ ...fifty, rolled_back: 0 })).toBe('48 of 50, 2 failed');
    expect(itemsNote({ ...fifty, rolled_back: 1 })).toBe('48 of 50, 2 failed, 1 of them rolled back');
    expect(itemsNote({ ...fifty, succeeded: 20, failed: 0, rolled_back: 0, skipped: 1, running: 10, waiting: 3, not_begun: 19 }))
      .toBe('20 of 50, 1 skipped, 3 waiting for a person, 7 under way');
    expect(itemsNote({ ...fifty, succeeded: 50, failed: 0, rolled_back: 0 })).toBe('50 of 50');
  });

  const view = new Onboarding('exe_1', {}, Date.UTC(2026, 0, 1)).run.view;
  const step: StepView = {
    step: 'send', visit: 1, attempt: 1, type: 'tool_call', actor: 'send_mail', status: 'committed', scheduled_at: '2026-01-01T00:00:00Z', reads: [], calls: [], failures: [],
    items: fifty, output: { total: 50, failed: 2, items: [{ index: 0, status: 'succeeded' }] },
  };
  it('are left out of the output beside their list', () => {
    expect(shownOutput(step)).toEqual({ total: 50, failed: 2 });
    const { items: _, ...plain } = step;
    expect(shownOutput(plain)).toEqual(step.output);
    expect(shownOutput({ ...step, output: 'text' })).toBe('text');
  });
  it('count as calls of their tool', () => expect(summarise({ ...view, steps: [step] }).calls).toEqual([{ tool: 'send_mail', times: 48 }]));
});
