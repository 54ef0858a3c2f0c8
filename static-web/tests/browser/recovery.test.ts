import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Installation, isReal, until, type Run } from './installation';

interface Reviews { items: { id: string; digest: string; status: string }[] }

describe.skipIf(!isReal)('agreement, consistency and decisions, in the browser on the real program', { timeout: 180_000 }, () => {
  let omium: Installation;
  beforeAll(async () => { omium = await Installation.connect(); });
  afterAll(() => omium.end());

  it('S08_BothViewsAreShown_MeasuredAgainOnceTheSourceIsRight_TheRunFinishes', async () => {
    await omium.answer('export_list', { record_count: 100, list: 'spring' });
    await omium.answer('crm_count', { count: 47 });
    await omium.save({
      omium: 'v0', name: 'spring-mailing',
      tools: {
        export_list: { type: 'http', url: omium.effect('export_list') }, crm_count: { type: 'http', url: omium.effect('crm_count') },
        mailing: { type: 'http', url: omium.effect('mailing'), effect: { kind: 'idempotent', compensate: 'recall' } }, recall: { type: 'http', url: omium.effect('recall'), effect: { kind: 'idempotent' } },
      },
      steps: [{ id: 'export', type: 'tool_call', tool: 'export_list' }, { id: 'mailing', type: 'tool_call', tool: 'mailing', input: { records: '${{ handoff.record_count }}' } }],
      edges: [{ from: 'export', to: 'mailing', handoff: { schema: { type: 'object', required: ['record_count', 'list'] }, claims: { records: { said: 'output.record_count', seen: { tool: 'crm_count', arguments: { list: '${{ output.list }}' }, value: 'output.count' } } }, acknowledge: true } }],
    });
    const id = await omium.start('spring-mailing');
    const { open_reviews } = await omium.runUntil(id, 'paused');
    const visit = await omium.openWithKey('/reviews?kind=handoff');
    const card = visit.page.getByTestId(`review-${open_reviews[0]}`);
    const views = await card.getByTestId('handoff-views').innerText();
    expect(views).toMatch(/records\s+100\s+47/);
    expect((await omium.counted('mailing')).requests).toBe(0);

    await omium.answer('crm_count', { count: 100 });
    await card.getByTestId('decide-repeat').click();
    await visit.click('confirm');
    await card.waitFor({ state: 'detached' });
    await visit.page.goto(`${omium.url}/executions/${id}`);
    await visit.get('execution-status').getByText('Succeeded').waitFor();
    expect([(await omium.counted('export_list')).requests, (await omium.counted('mailing')).requests]).toEqual([1, 1]);
    await visit.close();
  });

  it('S08_AWorkerReceives_ItHoldsFortySevenThenAHundred_AndTheConsoleShowsEveryRound', async () => {
    await omium.answer('autumn_list', { record_count: 100, list: 'autumn' });
    await omium.save({
      omium: 'v0', name: 'autumn-mailing',
      tools: { export_list: { type: 'http', url: omium.effect('autumn_list') }, recall: { type: 'http', url: omium.effect('autumn_recall'), effect: { kind: 'idempotent' } } },
      steps: [
        { id: 'export', type: 'tool_call', tool: 'export_list' },
        { id: 'mailing', type: 'worker', worker: 'autumn_mailings', input: { list: '${{ handoff.list }}' }, effect: { kind: 'idempotent', compensate: 'recall' } },
      ],
      edges: [{ from: 'export', to: 'mailing', handoff: { claims: { records: { said: 'output.record_count' } }, acknowledge: true } }],
    });
    const worker = omium.worker('autumn_mailings', 'mailer-1');
    const id = await omium.start('autumn-mailing');
    const asked = await worker.take('handoff');
    expect([asked.from, asked.claims]).toEqual(['export', ['records']]); // What the sender says it is not told.

    // While it is asked, the console says whom the run waits for, and what is claimed.
    const visit = await omium.openWithKey(`/executions/${id}`);
    await visit.get('execution-status').getByText('Waiting').waitFor();
    await visit.click('step-export');
    await visit.wait('handoff', 'status', 'proposed');
    expect(await visit.get('handoff').innerText()).toMatch(/mailing is being asked what it holds[\s\S]*records\s+100\s+not measured yet/);

    expect(await worker.complete(asked, { records: 47 })).toBe(204);
    await visit.wait('handoff', 'status', 'disputed'); // Live, with nothing clicked.
    expect(await visit.get('handoff').innerText()).toMatch(/Measured once; acknowledged by a worker with key_[\s\S]*records\s+100\s+47/);
    expect(await worker.poll(0)).toBeUndefined(); // Nothing is given out while it is halted.
    const { open_reviews } = await omium.runUntil(id, 'paused');
    await visit.page.goto(`${omium.url}/reviews?kind=handoff`);
    const card = visit.page.getByTestId(`review-${open_reviews[0]}`);
    expect(await card.getByTestId('handoff-views').innerText()).toMatch(/records\s+100\s+47/);
    // By the keyboard alone; when the card is gone, it goes on from where it is said how many reviews are left.
    await card.getByTestId('decide-repeat').focus();
    await visit.page.keyboard.press('Enter');
    await visit.get('confirm').focus();
    await visit.page.keyboard.press('Enter');
    await card.waitFor({ state: 'detached' });
    await visit.page.locator('p[role=status]:focus').filter({ hasText: /open reviews?$/ }).waitFor({ state: 'attached' });

    expect(await worker.complete(await worker.take('handoff'), { records: 100 })).toBe(204);
    const task = await worker.take('step');
    await visit.page.goto(`${omium.url}/executions/${id}`);
    await visit.click('step-export');
    await visit.wait('handoff', 'status', 'agreed');
    expect(await visit.get('handoff').getAttribute('data-round')).toBe('2');
    expect(await visit.get('handoff').innerText()).toMatch(/Measured 2 times; acknowledged by a worker with key_[\s\S]*records\s+100\s+100/);
    expect(await worker.complete(task, { sent: 100 })).toBe(204);
    await visit.get('execution-status').getByText('Succeeded').waitFor();
    expect((await omium.counted('autumn_list')).requests).toBe(1); // The source was not asked again: it was right.
    await visit.close();
  });

  it('S10_AStaleName_IsTracedToStep23_AndOnlyTheTermsRunAgain', async () => {
    const between = Array.from({ length: 21 }, (_, index) => ({ id: `step_${index + 2}`, type: 'decision', needs: [index === 0 ? 'terms' : `step_${index + 1}`], input: { number: index + 2 } }));
    await omium.save({ omium: 'v0', name: 'register', steps: [{ id: 'put', type: 'decision', input: { name: 'Jane Smith' }, writes: ['customer/c-42#name'] }] });
    await omium.save({
      omium: 'v0', name: 'offer',
      tools: { letter: { type: 'http', url: omium.effect('letter'), effect: { kind: 'idempotent', compensate: 'revoke' } }, revoke: { type: 'http', url: omium.effect('revoke'), effect: { kind: 'idempotent' } } },
      steps: [
        { id: 'terms', type: 'decision', reads: ['customer/c-42#name'], input: { text: 'Dear ${{ state.name }}, 36 months at 5.2 %.' } }, ...between,
        { id: 'step_23', type: 'decision', needs: ['step_22'], input: { name: 'Jane Miller' }, writes: ['customer/c-42#name'] },
        { id: 'letter', type: 'tool_call', tool: 'letter', needs: ['step_23'], input: { text: '${{ steps.terms.output.text }}' } },
      ],
    });
    await omium.runUntil(await omium.start('register'), 'succeeded');
    const id = await omium.start('offer');
    await omium.runUntil(id, 'succeeded');
    expect((await omium.counted('letter')).bodies).toEqual([{ text: 'Dear Jane Miller, 36 months at 5.2 %.' }]);

    const visit = await omium.openWithKey('/failures');
    await visit.page.getByRole('link', { name: /Stale read/ }).first().click();
    const cause = visit.get('root-cause');
    await cause.waitFor();
    expect(await cause.innerText()).toMatch(/Jane Smith[\s\S]*step_23[\s\S]*Jane Miller/);
    await visit.page.goto(`${omium.url}/executions/${id}`);
    await visit.get('step-terms').getByText('1 earlier visit').waitFor();
    expect(await visit.page.getByText('earlier visit').count()).toBe(2); // Of the terms, and of the letter that was not sent.
    await visit.close();
  });

  it('S18_TwoPeopleDecideAtOnce_OneEffect_TheSecondIsRefusedOnRecord_AndTooLateIsSaid', async () => {
    const spec = {
      omium: 'v0', name: 'pay-once',
      tools: { pay: { type: 'http', url: omium.effect('pay_once', '?dedupe=false'), effect: { kind: 'irreversible' } } },
      steps: [{ id: 'release', type: 'human_approval', description: 'Release the payment?', input: { invoice: '${{ input.invoice }}' } }, { id: 'pay', type: 'tool_call', tool: 'pay', needs: ['release'], input: { invoice: '${{ input.invoice }}' } }],
    };
    await omium.save(spec);
    const people = await Promise.all(['ada', 'bob'].map((name) => omium.person(name)));
    const visits = await Promise.all(people.map(({ key }) => omium.openWithKey('/reviews?kind=approval', {}, key)));
    const race = async (...choices: [string, string]) => {
      const id = await omium.start('pay-once', { invoice: `inv-${choices.join('-')}` });
      const { open_reviews } = await omium.runUntil(id, 'waiting');
      await Promise.all(visits.map(async (visit, index) => {
        await visit.page.reload();
        await visit.page.getByTestId(`review-${open_reviews[0]}`).getByTestId(`decide-${choices[index]!}`).click();
        await visit.get('confirm').waitFor();
      }));
      await Promise.all(visits.map((visit) => visit.click('confirm')));
      // The first is done; the second is told, in the dialog that stays open.
      const told = await Promise.race(visits.map(async (visit, index) => { await visit.page.getByRole('alertdialog').getByRole('alert').getByText('review_closed').waitFor(); return index; }));
      const [review] = (await omium.api<Reviews>('GET', `/v1/reviews?execution=${id}`)).body.items;
      expect(review!.status).toBe('decided');
      return { id, told };
    };
    const twice = await race('approve', 'approve');
    await omium.runUntil(twice.id, 'succeeded');
    expect((await omium.counted('pay_once')).requests).toBe(1);

    const against = await race('reject', 'approve');
    const run = await until('the contradicted run has ended', async () => {
      const { body } = await omium.api<Run>('GET', `/v1/executions/${against.id}`);
      return ['failed', 'succeeded'].includes(body.status) && body;
    });
    expect(run.status).toBe(against.told === 1 ? 'failed' : 'succeeded');
    expect((await omium.counted('pay_once')).requests).toBe(against.told === 1 ? 1 : 2);
    const [ada] = visits;
    await ada!.page.goto(`${omium.url}/executions/${against.id}?tab=events`);
    await ada!.page.getByText(/review\.refused/).first().waitFor();

    await omium.save({ ...spec, name: 'pay-in-time', steps: [{ ...spec.steps[0], timeout: '5ms' }, spec.steps[1]] });
    const late = await omium.start('pay-in-time', { invoice: 'inv-late' });
    await omium.runUntil(late, 'failed');
    await ada!.page.goto(`${omium.url}/reviews`);
    await ada!.page.getByRole('region', { name: 'Answered' }).getByText(/Expired/).first().waitFor();
    await Promise.all(visits.map((visit) => visit.close()));
  });

  it('S20_TheBlastRadiusIsShown_AnOrphanedConsumerIsNamed_AndWhatIsShownIsWhatIsUndone', async () => {
    const pairs = [['reserve', 'release'], ['charge', 'refund'], ['book_courier', 'cancel_courier'], ['file_note', 'strike_note']] as const;
    const tool = (name: string, undo?: string) => [name, { type: 'http', url: omium.effect(name), effect: { kind: 'idempotent', ...(undo ? { compensate: undo } : {}) } }] as const;
    await omium.save({
      omium: 'v0', name: 'bookings', tools: Object.fromEntries(pairs.flatMap(([name, undo]) => [tool(name, undo), tool(undo)])),
      steps: [
        { id: 'reserve', type: 'tool_call', tool: 'reserve' }, { id: 'charge', type: 'tool_call', tool: 'charge', needs: ['reserve'], input: { reservation: '${{ steps.reserve.output.id }}' } },
        { id: 'book_courier', type: 'tool_call', tool: 'book_courier', needs: ['charge'], input: { charge: '${{ steps.charge.output.id }}' } },
        { id: 'file_note', type: 'tool_call', tool: 'file_note', needs: ['reserve'], input: { reservation: '${{ steps.reserve.output.id }}' } },
        { id: 'approve', type: 'human_approval', needs: ['book_courier'], description: 'Send the letter?' },
      ],
    });
    const id = await omium.start('bookings');
    await omium.runUntil(id, 'waiting');
    const visit = await omium.openWithKey(`/executions/${id}`);
    await visit.click('rollback');
    await visit.get('rollback-to').selectOption('reserve');
    await visit.get('rollback-scope-some').check();
    await visit.get('undo-book_courier').uncheck();
    await visit.get('undo-approve').uncheck();
    await visit.get('undo-file_note').uncheck();
    await visit.get('rollback-preview').getByText(/Refused: book_courier/).waitFor();
    expect(await visit.get('rollback-apply').isDisabled()).toBe(true);

    await visit.get('rollback-to').selectOption('charge');
    await visit.get('rollback-scope-all').check();
    const preview = visit.get('rollback-preview');
    await preview.getByText('2 steps would be undone').waitFor();
    expect(await preview.innerText()).toMatch(/book_courier, approve[\s\S]*To be taken back outside: book_courier/);
    await preview.locator('.react-flow__node').first().waitFor();
    expect((await omium.counted('cancel_courier')).requests).toBe(0);
    await visit.click('rollback-apply');
    await omium.runUntil(id, 'paused');
    expect(await Promise.all(pairs.map(async ([, undo]) => (await omium.counted(undo)).requests))).toEqual([0, 0, 1, 0]);
    await visit.get('step-book_courier').getByText('Rolled back').waitFor();
    await visit.close();
  });
});
