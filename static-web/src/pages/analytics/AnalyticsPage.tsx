import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { keysQuery } from '~/api/accountQueries';
import { useWhyNot } from '~/api/may';
import { download, save } from '~/api/account';
import type { AnalyticsGroup, AnalyticsView } from '~/api/generated';
import { analyticsQuery } from '~/api/queries';
import { columns, csvOf, totals } from '~/model/analytics';
import { daysBack, share } from '~/model/figures';
import { count, date, duration } from '~/model/format';
import { executionLook, failureLook, humanise } from '~/model/status';
import { Button } from '~/ui/Button';
import { Filter } from '~/ui/list';
import { Page, Section } from '~/ui/Page';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { Recovery } from './Recovery';

type GroupBy = AnalyticsView['group_by'];
type Bucket = AnalyticsView['bucket'];
const fills = { quiet: 'bg-edge', running: 'bg-running', good: 'bg-good', wait: 'bg-wait', bad: 'bg-bad' } as const;

export function AnalyticsPage() {
  const { by = 'workflow', bucket = 'day', days = 30 } = useSearch({ from: '/analytics' });
  const navigate = useNavigate({ from: '/analytics' });
  const groupBy = by as GroupBy;
  const from = daysBack(days, Date.now());
  const query = useQuery({ ...analyticsQuery({ group_by: groupBy, bucket: bucket as Bucket, from }), placeholderData: keepPreviousData });
  const exporting = useMutation({ mutationFn: () => download('/v1/failures/export', `omium-failures-${new Date().toISOString().slice(0, 10)}.jsonl`) });
  const set = (next: { by?: string; bucket?: string; days?: number }) => void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  const view = query.data;
  return (
    <Page
      wide title="Analytics" lead="What ran and what failed, over time."
      actions={(
        <>
          <Button disabled={!view || view.groups.length === 0} onClick={() => view && save(new Blob([csvOf(view)], { type: 'text/csv' }), `omium-${view.group_by}.csv`)} data-testid="analytics-export">Export as CSV</Button>
          <Button weight="quiet" busy={exporting.isPending} onClick={() => exporting.mutate()} data-testid="failures-export">Export failures as a data set</Button>
        </>
      )}
    >
      <div className="flex flex-wrap gap-4">
        <Filter label="By" value={groupBy} onChange={(next) => set({ by: next })} options={[{ value: 'workflow', label: 'Workflow' }, { value: 'api_key', label: 'API key' }, { value: 'failure_class', label: 'Failure class' }]} />
        <Filter label="Over" value={String(days)} onChange={(next) => set({ days: Number(next), bucket: Number(next) <= 2 ? 'hour' : Number(next) > 60 ? 'week' : 'day' })} options={[{ value: '1', label: 'the last day' }, { value: '7', label: 'the last 7 days' }, { value: '30', label: 'the last 30 days' }, { value: '90', label: 'the last 90 days' }]} />
      </div>
      {exporting.isError && <ErrorNote error={exporting.error} />}
      {query.isError && !view && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading lines={6} label="Counting" />}
      {view && view.groups.length === 0 && <Empty title={groupBy === 'failure_class' ? 'Nothing failed' : 'Nothing ran'}>In this span. Choose a longer one, or run a workflow.</Empty>}
      {view && view.groups.length > 0 && <Standing view={view} />}
      {view && view.groups.length > 0 && <Groups view={view} />}
      {view && view.groups.length > 0 && groupBy !== 'api_key' && <Recovery groupBy={groupBy} from={from} />}
    </Page>
  );
}

const lookOf = (view: AnalyticsView, status: string) => (view.group_by === 'failure_class' ? failureLook(status) : executionLook(status));

function Standing({ view }: { view: AnalyticsView }) {
  const sum = totals(view.groups);
  const all = columns(view);
  const most = Math.max(...all.map((column) => column.count));
  const statuses = [...new Set(all.flatMap((column) => Object.keys(column.by_status)))];
  return (
    <Section title={view.group_by === 'failure_class' ? count(sum.count, 'failure') : count(sum.count, 'execution')} aside={sum.successShare !== undefined && <>{share(sum.successShare)} of those that ended succeeded</>}>
      <div role="img" aria-label={`${all.length} spans of a ${view.bucket}, at most ${most} each. The table below has the numbers.`} className="card flex h-44 items-end gap-[3px] p-4">
        {all.map((column) => (
          <div key={column.at} title={`${date(column.at)}: ${column.count}`} className="flex max-w-16 min-w-1 flex-1 flex-col-reverse gap-px overflow-hidden rounded-t-[4px]" style={{ height: column.count === 0 ? 0 : `${Math.max(3, (column.count / most) * 100)}%` }}>
            {Object.entries(column.by_status).map(([status, number]) => <span key={status} className={fills[lookOf(view, status).tone]} style={{ flexGrow: number }} />)}
          </div>
        ))}
      </div>
      <p className="flex flex-wrap gap-x-5 text-[0.87rem] text-ink-2">
        <span>{date(all[0]!.at)} to {date(all.at(-1)!.at)}</span>
        {statuses.map((status) => <span key={status}><span aria-hidden="true" className={`mr-1.5 inline-block size-2.5 rounded-[3px] ${fills[lookOf(view, status).tone]}`} />{lookOf(view, status).label.toLowerCase()}</span>)}
      </p>
    </Section>
  );
}

function Groups({ view }: { view: AnalyticsView }) {
  const isFailures = view.group_by === 'failure_class';
  const sorted = view.groups.toSorted((left, right) => right.count - left.count);
  return (
    <div className="card overflow-x-auto" tabIndex={0} role="region" aria-label="Numbers">
      <table className="w-full min-w-[36rem] text-left">
        <thead className="text-[0.87rem] text-ink-2"><tr className="border-b border-line">{[isFailures ? 'Failure class' : view.group_by === 'workflow' ? 'Workflow' : 'API key', 'Count', isFailures ? 'Open' : 'Succeeded', isFailures ? 'Resolved' : 'Failed', isFailures ? 'Mean time to recovery' : 'Mean time'].map((head) => <th key={head} className="px-4 py-2 font-semibold">{head}</th>)}</tr></thead>
        <tbody>
          {sorted.map((group) => (
            <tr key={group.key} className="border-b border-line last:border-none" data-testid={`group-${group.key}`}>
              <th scope="row" className="px-4 py-2 font-semibold"><Name view={view} group={group} /></th>
              <td className="px-4 py-2 font-mono">{group.count.toLocaleString('en')}</td>
              {(isFailures ? ['open', 'resolved'] : ['succeeded', 'failed']).map((status) => <td key={status} className="px-4 py-2 font-mono">{(group.by_status[status] ?? 0).toLocaleString('en')}</td>)}
              <td className="px-4 py-2 font-mono">{group.mean_duration_ms === undefined ? '–' : duration(group.mean_duration_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Name({ view, group }: { view: AnalyticsView; group: AnalyticsGroup }) {
  if (view.group_by === 'workflow') return <Link to="/executions" search={{ workflow: group.key }} className="underline underline-offset-2">{group.key}</Link>;
  if (view.group_by === 'failure_class') return <Link to="/executions" search={{ failure_class: group.key }} className="underline underline-offset-2">{humanise(group.key)}</Link>;
  return <KeyName id={group.key} />;
}

/** By its name where whoever looks may see the keys. */
function KeyName({ id }: { id: string }) {
  const mayNot = useWhyNot('admin');
  const keys = useQuery({ ...keysQuery, enabled: mayNot === undefined });
  const name = keys.data?.items.find((key) => key.id === id)?.name;
  return <>{name && <>{name} </>}<span className="font-mono text-[0.87rem] font-normal text-ink-2">{id}</span></>;
}
