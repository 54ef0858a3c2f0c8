import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { account } from '~/api/account';
import type { TopUpTermsView } from '~/api/generated';
import { credits } from '~/model/money';
import { Button, buttonClass } from '~/ui/Button';
import { TextField } from '~/ui/form';
import { MayButton } from '~/ui/may';
import { Panel } from '~/ui/Panel';
import { ErrorNote } from '~/ui/states';

/** Makes a page to pay on. The credits come with the payment's event, not with anything said here. */
export function TopUp({ terms, onClose }: { terms: TopUpTermsView; onClose: () => void }) {
  const [amount, setAmount] = useState(String(terms.presets_usd[0] ?? terms.minimum_usd));
  const create = useMutation({ mutationFn: () => account.topUp(Number(amount)) });
  const value = Number(amount);
  const problem = amount === '' || Number.isNaN(value) ? 'An amount in US dollars.' : value < terms.minimum_usd ? `The least is $${terms.minimum_usd}.` : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (problem === undefined) create.mutate();
  };
  return (
    <Panel title="Top up" open onOpenChange={(open) => !open && onClose()}>
      {terms.note && <p className="rounded-xl border border-wait bg-wait-wash px-4 py-3">{terms.note}</p>}
      {create.data ? (
        <div className="flex flex-col items-start gap-4">
          <p className="text-ink-2">The page to pay <strong className="font-semibold text-ink">${create.data.amount_usd}</strong> for <strong className="font-semibold text-ink">{credits(create.data.credits)} credits</strong> is ready. It opens in a tab of its own; the balance here follows when you come back.</p>
          <a className={buttonClass('primary')} href={create.data.checkout_url} target="_blank" rel="noreferrer" data-testid="checkout-link">Go and pay</a>
        </div>
      ) : (
        <form onSubmit={submit} className="flex flex-col gap-4">
          <div role="group" aria-label="Amounts" className="flex flex-wrap gap-2">
            {terms.presets_usd.map((preset) => <Button key={preset} aria-pressed={value === preset} className="aria-pressed:border-ink aria-pressed:bg-sunken" onClick={() => setAmount(String(preset))}>${preset}</Button>)}
          </div>
          <TextField label="Amount in US dollars" inputMode="decimal" value={amount} onChange={(event) => setAmount(event.target.value.trim())} problem={problem} hint={problem === undefined ? `${credits(value * 1000)} credits, enough for ${Math.floor((value * 1000) / 5).toLocaleString('en')} checkpoints.` : undefined} testId="top-up-amount" />
          {create.isError && <ErrorNote error={create.error} />}
          <MayButton scope="admin" type="submit" weight="primary" className="self-start" busy={create.isPending} disabled={problem !== undefined} data-testid="top-up-submit">Make the page to pay on</MayButton>
        </form>
      )}
    </Panel>
  );
}
