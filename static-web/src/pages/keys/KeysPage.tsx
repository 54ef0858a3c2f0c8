import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { keysQuery, meQuery } from '~/api/queries';
import type { KeyView } from '~/api/types';
import { Button } from '~/ui/Button';
import { Page } from '~/ui/Page';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { CreateKey } from './CreateKey';
import { KeyRow } from './KeyRow';

export function KeysPage() {
  const keys = useQuery(keysQuery);
  const me = useQuery(meQuery);
  const [creating, setCreating] = useState(false);
  const byAge = (left: KeyView, right: KeyView) => right.created_at.localeCompare(left.created_at);
  return (
    <Page title="API keys" lead="One for each program that calls Omium, so that one can be taken away without the others." actions={<Button weight="primary" onClick={() => setCreating(true)} data-testid="create-key">Create a key</Button>}>
      {keys.isError && !keys.data && <ErrorNote error={keys.error} retry={() => void keys.refetch()} />}
      {keys.isPending && <Loading label="Loading keys" />}
      {keys.data?.items.length === 0 && <Empty title="No key yet">Create one for your program. Its secret is shown once.</Empty>}
      {keys.data && keys.data.items.length > 0 && (
        <ul aria-label="API keys" className="card flex flex-col divide-y divide-line">
          {keys.data.items.toSorted(byAge).map((key) => <KeyRow key={key.id} item={key} inUse={key.id === me.data?.key_id} />)}
        </ul>
      )}
      {creating && <CreateKey onClose={() => setCreating(false)} />}
    </Page>
  );
}
