import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { account } from '~/api/account';
import { billingQuery, transactionsQuery } from '~/api/accountQueries';
import type { BillingView, TransactionView } from '~/api/generated';
import { clock, date, shortId } from '~/model/format';
import { credits, dayGroups, planWords, usd } from '~/model/money';
import { humanise } from '~/model/status';
import { Button, ButtonLink } from '~/ui/Button';
import { Facts } from '~/ui/form';
import { Filter, MoreButton } from '~/ui/list';
import { MayButton } from '~/ui/may';
import { Page, Section } from '~/ui/Page';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { TopUp } from './TopUp';

const kinds = ['topup', 'usage', 'allowance', 'expiry', 'adjustment', 'plan', 'cap', 'warning', 'reservation'] as const;

const kindWord = (kind: string) => (kind === 'topup' ? 'top-up' : kind);

export function BillingPage() {
  const billing = useQuery(billingQuery);
  const [paying, setPaying] = useState(false);
  return (
    <Page title="Billing" lead="1,000 credits are one US dollar. A committed checkpoint costs 5 of them; what fails costs no checkpoint." actions={<MayButton scope="admin" weight="primary" onClick={() => setPaying(true)} data-testid="top-up">Top up</MayButton>}>
      {billing.isError && !billing.data && <ErrorNote error={billing.error} retry={() => void billing.refetch()} />}
      {billing.isPending && <Loading lines={3} label="Loading the balance" />}
      {billing.data && <Standing billing={billing.data} />}
      <History />
      {paying && billing.data && <TopUp terms={billing.data.top_up} onClose={() => setPaying(false)} />}
    </Page>
  );
}

function Standing({ billing }: { billing: BillingView }) {
  const plan = billing.plan;
  return (
    <div className="grid items-start gap-x-12 gap-y-7 lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
      <div className="flex flex-col gap-3">
        <p className="flex flex-col">
          <span className="eyebrow">Balance</span>
          <span data-testid="balance" data-credits={billing.balance} className={`text-[2.6rem] leading-tight font-semibold tracking-[-0.02em] ${billing.balance <= 0 ? 'text-bad' : ''}`}>{credits(billing.balance)}</span>
          <span className="text-ink-2">credits, {usd(billing.balance)}</span>
        </p>
        {billing.low && <p className="rounded-xl border border-wait bg-wait-wash px-4 py-3"><strong className="font-semibold">Less than a tenth is left.</strong> At zero a new run is refused, and runs under way wait at their next step until there are credits again.</p>}
        {billing.overdraft < 0 && <p className="rounded-xl border border-bad bg-bad-wash px-4 py-3">{credits(-billing.overdraft)} credits were used beyond what there was; the next credits pay them back.</p>}
      </div>
      <Section title={`Plan: ${humanise(plan.name)}`} aside={plan.period}>
        {plan.checkpoints_per_month === 0 && <p>Every checkpoint is paid with credits.</p>}
        {plan.checkpoints_per_month !== undefined && plan.checkpoints_per_month > 0 && plan.checkpoints_left !== undefined && (
          <div className="flex flex-col gap-1.5">
            <span>{planWords(plan)}</span>
            <span aria-hidden="true" className="h-2 overflow-hidden rounded-full bg-sunken"><span className="block h-full rounded-full bg-edge" style={{ width: `${100 - (100 * plan.checkpoints_left) / Math.max(1, plan.checkpoints_per_month)}%` }} /></span>
          </div>
        )}
        <Facts rows={[
          ['Can be used now', `${credits(billing.remaining)} credits`], ['Put aside for runs under way', `${credits(billing.reserved)} credits`], ['Used so far', `${credits(billing.spent)} credits`],
          ['Seats', plan.seats === undefined ? 'as many as you like' : String(plan.seats)],
        ]}
        />
      </Section>
    </div>
  );
}

function History() {
  const { kind } = useSearch({ from: '/billing' });
  const navigate = useNavigate({ from: '/billing' });
  const history = useInfiniteQuery(transactionsQuery(kind));
  const verify = useMutation({ mutationFn: account.verifyBilling });
  const items = history.data?.pages.flatMap((page) => page.items);
  return (
    <Section title="History" aside={<Button small weight="quiet" busy={verify.isPending} onClick={() => verify.mutate()}>Verify the ledger</Button>}>
      <p role="status">{verify.data && <span className={`inline-block rounded-lg px-3 py-1.5 ${verify.data.verdict === 'corrupt' ? 'bg-bad-wash text-bad' : 'bg-good-wash text-good'}`}>{humanise(verify.data.verdict)}: {verify.data.records.toLocaleString('en')} records decided again. {verify.data.detail}</span>}</p>
      {verify.isError && <ErrorNote error={verify.error} />}
      <Filter label="Show" value={kind ?? ''} onChange={(next) => void navigate({ search: { kind: next || undefined }, replace: true })} options={[{ value: '', label: 'All that moved credits' }, ...kinds.map((value) => ({ value, label: kindWord(value) }))]} />
      {history.isError && !items && <ErrorNote error={history.error} retry={() => void history.refetch()} />}
      {history.isPending && <Loading lines={5} label="Loading the history" />}
      {items?.length === 0 && <Empty title="Nothing has moved yet">Top-ups, the month’s allowance and what runs use appear here.</Empty>}
      {items && items.length > 0 && dayGroups(items).map((group) => (
        <div key={group.day} className="flex flex-col">
          <h3 className="eyebrow py-1.5">{date(group.items[0]!.at)}</h3>
          <ul className="card divide-y divide-line">{group.items.map((move) => <Move key={move.id} move={move} />)}</ul>
        </div>
      ))}
      <MoreButton query={history} what="movements" />
    </Section>
  );
}

function Move({ move }: { move: TransactionView }) {
  return (
    <li data-testid={`transaction-${move.kind}`}>
      <details>
        <summary data-list-item className="grid cursor-pointer list-none grid-cols-[5.5rem_minmax(0,1fr)_auto] items-baseline gap-x-4 px-4 py-2.5 hover:bg-sunken focus-visible:-outline-offset-2 [&::-webkit-details-marker]:hidden">
          <span className="font-mono text-[0.82rem] text-ink-2">{clock(move.at)}</span>
          <span className="min-w-0"><span className="font-medium">{move.description || humanise(move.kind)}</span> <span className="text-[0.87rem] text-ink-2">{kindWord(move.kind)}</span></span>
          <span className={`font-mono ${move.credits > 0 ? 'font-semibold text-good' : 'text-ink-2'}`}>{move.credits > 0 ? '+' : ''}{credits(move.credits)}</span>
        </summary>
        <div className="flex flex-col gap-2 px-4 pb-3">
          <Facts rows={move.entries.map(({ account: name, credits: amount }) => [humanise(name), <span key={name} className="font-mono">{amount > 0 ? '+' : ''}{credits(amount)}</span>])} />
          <p className="text-[0.87rem] text-ink-2">The entries of one movement sum to zero. {move.payment && <>Payment <code className="font-mono">{move.payment}</code>.</>}</p>
          {move.execution && <ButtonLink small weight="quiet" className="self-start" to="/executions/$executionId" params={{ executionId: move.execution }}>Run {shortId(move.execution)}</ButtonLink>}
        </div>
      </details>
    </li>
  );
}
