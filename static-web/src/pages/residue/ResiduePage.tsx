import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { allResidueQuery } from '~/api/queries';
import { ButtonLink } from '~/ui/Button';
import { Filter, MoreButton } from '~/ui/list';
import { Page } from '~/ui/Page';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { Left } from '../failure/Residue';

/** Everything that rollbacks could not take back, of every run. */
export function ResiduePage() {
  const { status } = useSearch({ from: '/residue' });
  const navigate = useNavigate({ from: '/residue' });
  const shown = status ?? 'open';
  const residue = useInfiniteQuery(allResidueQuery(shown === 'all' ? undefined : shown));
  const items = residue.data?.pages.flatMap((page) => page.items);
  return (
    <Page title="Left behind" lead="Effects that no rollback could undo: what, where and why. They stand in the world until a person deals with them.">
      <Filter label="Show" value={shown} onChange={(next) => void navigate({ search: { status: next === 'open' ? undefined : next }, replace: true })} options={[{ value: 'open', label: 'Open' }, { value: 'resolved', label: 'Dealt with' }, { value: 'all', label: 'All' }]} />
      {residue.isError && !items && <ErrorNote error={residue.error} retry={() => void residue.refetch()} />}
      {residue.isPending && <Loading lines={5} label="Loading what was left behind" />}
      {items?.length === 0 && !residue.hasNextPage && <Empty title={shown === 'open' ? 'Nothing was left behind' : 'Nothing on record'} action={<ButtonLink to="/reviews">See reviews</ButtonLink>}>When the undo of an effect fails, or an irreversible one is part of a rollback that a person accepted, it appears here.</Empty>}
      {items && items.length > 0 && <ul className="flex flex-col gap-4">{items.map((left) => <Left key={left.id} left={left} apart />)}</ul>}
      <MoreButton query={residue} what="effects" />
    </Page>
  );
}
