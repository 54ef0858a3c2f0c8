import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '~/api/client';
import { useRefresh } from '~/api/refresh';
import type { ExecutionView } from '~/api/types';
import { actionsFor } from '~/model/status';
import { ButtonLink } from '~/ui/Button';
import { Confirm } from '~/ui/Confirm';
import { MayButton } from '~/ui/may';
import { ErrorNote } from '~/ui/states';
import { RollbackPanel } from './RollbackPanel';

export function ExecutionActions({ view }: { view: ExecutionView }) {
  const [cancelling, setCancelling] = useState(false);
  const [rollingBack, setRollingBack] = useState(false);
  const refresh = useRefresh();
  const can = actionsFor(view.status, view.open_reviews.length);
  const act = useMutation({
    mutationFn: async (action: 'pause' | 'resume') => {
      await api[action](view.id);
      await refresh(view.id);
    },
  });
  const cancel = async () => {
    await api.cancel(view.id);
    await refresh(view.id);
  };
  return (
    <>
      {can.pause && <MayButton scope="run" busy={act.isPending} onClick={() => act.mutate('pause')} data-testid="pause">Pause</MayButton>}
      {can.resume && <MayButton scope="run" weight="primary" busy={act.isPending} onClick={() => act.mutate('resume')} data-testid="resume">Resume</MayButton>}
      {can.rollback && <MayButton scope="run" onClick={() => setRollingBack(true)} data-testid="rollback">Roll back</MayButton>}
      {can.cancel && <MayButton scope="run" weight="quiet" onClick={() => setCancelling(true)} data-testid="cancel">Cancel run</MayButton>}
      <ButtonLink weight="quiet" to="/compare" search={{ left: view.id }}>Compare</ButtonLink>
      {act.isError && <ErrorNote error={act.error} />}
      <Confirm scope="run" title="Cancel this run?" confirm="Cancel the run" grave open={cancelling} onOpenChange={setCancelling} onConfirm={cancel}>
        <p>No further step begins. What is committed stays, and what has been sent stays sent: roll back first if it should be undone.</p>
      </Confirm>
      {rollingBack && <RollbackPanel view={view} onClose={() => setRollingBack(false)} />}
    </>
  );
}
