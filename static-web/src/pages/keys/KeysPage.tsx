import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { billingQuery, keysQuery } from '~/api/accountQueries';
import type { KeyView } from '~/api/generated';
import { meQuery } from '~/api/queries';
import { Behind, MayButton } from '~/ui/may';
import { Page } from '~/ui/Page';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { CreateKey } from './CreateKey';
import { KeyRow } from './KeyRow';

export function KeysPage() {
  const [creating, setCreating] = useState(false);
  return (
    <Page title="API keys" lead="One for each program that calls Omium, so that one can be taken away without the others." actions={<MayButton scope="admin" weight="primary" onClick={() => setCreating(true)} data-testid="create-key">Create a key</MayButton>}>
      <Behind scope="admin" what="The list of keys"><KeyList /></Behind>
      {creating && <CreateKey onClose={() => setCreating(false)} />}
    </Page>
  );
}

function KeyList() {
  const keys = useQuery(keysQuery);
  const me = useQuery(meQuery);
  const billing = useQuery(billingQuery);
  if (keys.isError && !keys.data) return <ErrorNote error={keys.error} retry={() => void keys.refetch()} />;
  if (!keys.data) return <Loading label="Loading keys" />;
  if (keys.data.items.length === 0) return <Empty title="No key yet">Create one for your program. Its secret is shown once.</Empty>;
  const order = (left: KeyView, right: KeyView) => Number(left.status !== 'active') - Number(right.status !== 'active') || right.created_at.localeCompare(left.created_at);
  return (
    <ul aria-label="API keys" className="card flex flex-col divide-y divide-line">
      {keys.data.items.toSorted(order).map((key) => <KeyRow key={key.id} item={key} inUse={key.id === me.data?.key_id} use={billing.data?.keys.find(({ id }) => id === key.id)} />)}
    </ul>
  );
}
