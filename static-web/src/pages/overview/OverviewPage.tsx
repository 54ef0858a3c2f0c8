import { useQuery } from '@tanstack/react-query';
import { healthQuery, latestExecutionsQuery } from '~/api/queries';
import { ButtonLink } from '~/ui/Button';
import { Rows } from '~/ui/list';
import { Page, Section } from '~/ui/Page';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { ExecutionRow } from '../executions/ExecutionRow';
import { Alarms } from './Alarms';
import { LastDays } from './LastDays';
import { FirstSteps } from './FirstSteps';
import { Health } from './Health';

export function OverviewPage() {
  const health = useQuery(healthQuery);
  const latest = useQuery(latestExecutionsQuery());
  return (
    <Page title="Overview" lead="What runs, what waits for a person, and what to do first.">
      {health.data && <Alarms alarms={health.data.alarms} />}
      <FirstSteps />
      <Section title="How it stands">
        {health.isError && !health.data ? <ErrorNote error={health.error} retry={() => void health.refetch()} /> : health.data ? <Health health={health.data} /> : <Loading lines={2} label="Loading the state of the runs" />}
      </Section>
      <LastDays />
      <Section title="Latest executions" aside={<ButtonLink small weight="quiet" to="/executions">All executions</ButtonLink>}>
        {latest.isError && !latest.data && <ErrorNote error={latest.error} retry={() => void latest.refetch()} />}
        {latest.isPending && <Loading label="Loading executions" />}
        {latest.data?.items.length === 0 && <Empty title="Nothing has run yet">The third step above starts a workflow that fails on purpose, so that you can mend it.</Empty>}
        {latest.data && latest.data.items.length > 0 && <Rows label="Latest executions">{latest.data.items.map((run) => <ExecutionRow key={run.id} run={run} />)}</Rows>}
      </Section>
    </Page>
  );
}
