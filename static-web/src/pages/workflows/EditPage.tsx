import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { workflowQuery } from '~/api/queries';
import { Page } from '~/ui/Page';
import { ErrorNote, Loading } from '~/ui/states';
import { specYaml } from '~/model/specYaml';
import { SpecWorkbench } from './SpecWorkbench';

/** The newest version on the bench; saving makes the next one. */
export function EditPage() {
  const { name } = useParams({ from: '/workflows/$name/edit' });
  const newest = useQuery(workflowQuery(name));
  if (newest.isError && !newest.data) return <ErrorNote error={newest.error} retry={() => void newest.refetch()} />;
  if (!newest.data) return <Loading lines={6} label="Loading the workflow" />;
  const text = specYaml(newest.data.spec);
  return (
    <Page
      wide title={`Edit ${name}`} lead={`Saving makes version ${newest.data.version + 1}. Runs that are under way keep theirs.`}
      above={<nav aria-label="Where you are" className="text-[0.9rem] text-ink-2"><Link to="/workflows" className="underline underline-offset-2">Workflows</Link> / <Link to="/workflows/$name" params={{ name }} className="underline underline-offset-2">{name}</Link></nav>}
    >
      <SpecWorkbench key={newest.data.version} initial={text} original={text} saveLabel={`Save as version ${newest.data.version + 1}`} />
    </Page>
  );
}
