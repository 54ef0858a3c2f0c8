import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { recoveryQuery } from '~/api/queries';
import { Figures } from '~/ui/Figures';
import { Section } from '~/ui/Page';
import { ErrorNote, Loading } from '~/ui/states';
import { daysBack } from '~/model/figures';

/** How the week came out: success, recoveries and what it took of people. */
export function LastDays() {
  const query = useQuery(recoveryQuery({ group_by: 'workflow', from: daysBack(7, Date.now()) }));
  return (
    <Section
      title="The last 7 days"
      aside={(
        <span className="flex flex-wrap gap-x-4">
          <Link to="/guide/$" params={{ _splat: 'reference/analytics' }} search={{}} className="underline underline-offset-2">What these figures mean</Link>
          <Link to="/analytics" search={{ days: 7 }} className="underline underline-offset-2">By workflow and class</Link>
        </span>
      )}
    >
      {query.isError && !query.data && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Loading lines={2} label="Counting the last 7 days" />}
      {query.data && <Figures figures={query.data.total} />}
    </Section>
  );
}
