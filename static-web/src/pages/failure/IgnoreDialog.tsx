import { api } from '~/api/client';
import { useRefresh } from '~/api/refresh';
import type { FailureView } from '~/api/types';
import { Confirm } from '~/ui/Confirm';

export function IgnoreDialog({ failure, open, onOpenChange }: { failure: FailureView; open: boolean; onOpenChange: (open: boolean) => void }) {
  const refresh = useRefresh();
  const ignore = async () => {
    await api.ignoreFailure(failure.id);
    await refresh(failure.execution);
  };
  return (
    <Confirm scope="decide" title="Ignore this failure?" confirm="Ignore it" open={open} onOpenChange={onOpenChange} onConfirm={ignore}>
      <p>It no longer counts as open. The run itself is not changed: it stays as it is until someone decides on it.</p>
    </Confirm>
  );
}
