import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { RecoveryView } from '~/api/generated';
import { save } from '~/api/account';
import { recoveryQuery } from '~/api/queries';
import { recoveryCsvOf, share } from '~/model/figures';
import { duration } from '~/model/format';
import { humanise } from '~/model/status';
import { Button } from '~/ui/Button';
import { Figures } from '~/ui/Figures';
import { Section } from '~/ui/Page';
import { ErrorNote, Loading } from '~/ui/states';

/** How what failed was got over: in all, and by workflow or class. */
export function Recovery({ groupBy, from }: { groupBy: 'workflow' | 'failure_class'; from: string }) {
  const query = useQuery({ ...recoveryQuery({ group_by: groupBy, from }), placeholderData: keepPreviousData });
  const view = query.data;
  return (
    <Section
      title="Recovery"
      aside={(
        <span className="flex flex-wrap items-baseline gap-x-4">
          <Link to="/guide/$" params={{ _splat: 'reference/analytics' }} search={{}} className="underline underline-offset-2">What these figures mean</Link>
          <Button small weight="quiet" disabled={!view || view.groups.length === 0} onClick={() => view && save(new Blob([recoveryCsvOf(view)], { type: 'text/csv' }), `omium-recovery-by-${view.group_by}.csv`)} data-testid="recovery-export">Export recovery as CSV</Button>
        </span>
      )}
    >
      {query.isError && !view && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading lines={3} label="Counting recoveries" />}
      {view?.group_by === 'workflow' && <Figures figures={view.total} />}
      {view && view.groups.length > 0 && <Table view={view} />}
    </Section>
  );
}

function Table({ view }: { view: RecoveryView }) {
  const isByWorkflow = view.group_by === 'workflow';
  const heads = [isByWorkflow ? 'Workflow' : 'Failure class', 'Failures', 'Open', 'Recovered', 'By rollback', 'P50', 'P99', ...(isByWorkflow ? ['Success rate', 'Human interventions'] : [])];
  const time = (ms: number | undefined) => (ms === undefined ? '–' : duration(ms));
  return (
    <div className="card overflow-x-auto" tabIndex={0} role="region" aria-label="Recovery in numbers">
      <table className="w-full min-w-[44rem] text-left">
        <thead className="text-[0.87rem] text-ink-2"><tr className="border-b border-line">{heads.map((head) => <th key={head} scope="col" className="px-4 py-2 font-semibold">{head}</th>)}</tr></thead>
        <tbody>
          {view.groups.map(({ key, figures }) => (
            <tr key={key} className="border-b border-line last:border-none" data-testid={`recovery-${key}`}>
              <th scope="row" className="px-4 py-2 font-semibold">{isByWorkflow ? key : humanise(key)}</th>
              {[figures.failures, figures.open, figures.recovered, figures.recovered_by.rollback ?? 0].map((value, index) => <td key={heads[index + 1]} className="px-4 py-2 font-mono">{value.toLocaleString('en')}</td>)}
              <td className="px-4 py-2 font-mono whitespace-nowrap">{time(figures.recovery_ms_p50)}</td>
              <td className="px-4 py-2 font-mono whitespace-nowrap">{time(figures.recovery_ms_p99)}</td>
              {isByWorkflow && <td className="px-4 py-2 font-mono whitespace-nowrap">{share(figures.success_rate)}</td>}
              {isByWorkflow && <td className="px-4 py-2 font-mono">{(figures.interventions ?? 0).toLocaleString('en')}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
