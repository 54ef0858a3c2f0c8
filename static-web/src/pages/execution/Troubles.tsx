import { useMutation } from '@tanstack/react-query';
import { api } from '~/api/client';
import { useRefresh } from '~/api/refresh';
import type { ExecutionView, UndeliveredNotificationView } from '~/api/types';
import { count } from '~/model/format';
import { humanise } from '~/model/status';
import { MayButton } from '~/ui/may';
import { ErrorNote } from '~/ui/states';
import { Ago } from '~/ui/time';

/** What went wrong around the run, not in it: it was set aside, or nobody was told. */
export function Troubles({ view }: { view: ExecutionView }) {
  return (
    <>
      {view.set_aside !== undefined && <SetAside execution={view.id} why={view.set_aside} />}
      {view.undelivered_notifications.length > 0 && <Undelivered notifications={view.undelivered_notifications} />}
    </>
  );
}

function SetAside({ execution, why }: { execution: string; why: string }) {
  const refresh = useRefresh();
  const release = useMutation({
    mutationFn: async () => {
      await api.release(execution);
      await refresh(execution);
    },
  });
  return (
    <section aria-label="Set aside" data-testid="set-aside" className="flex flex-wrap items-center justify-between gap-4 rounded-[var(--radius-card)] border border-bad bg-bad-wash px-5 py-4">
      <div className="min-w-0">
        <h2 className="text-[1.15rem] font-semibold">This run was set aside</h2>
        <p>{why}</p>
        <p className="text-ink-2">Nothing is begun for it; every other run goes on. Mend the cause, then have it read anew.</p>
      </div>
      <MayButton scope="run" weight="primary" busy={release.isPending} onClick={() => release.mutate()} data-testid="release">Read it anew</MayButton>
      {release.isError && <ErrorNote error={release.error} />}
    </section>
  );
}

function Undelivered({ notifications }: { notifications: UndeliveredNotificationView[] }) {
  return (
    <details data-testid="undelivered" className="rounded-[var(--radius-card)] border border-wait bg-wait-wash px-5 py-3">
      <summary className="cursor-pointer font-semibold">{count(notifications.length, 'notification')} did not arrive</summary>
      <ul className="flex flex-col gap-2 pt-2">
        {notifications.map((one) => (
          <li key={`${one.channel} ${one.kind} ${one.at}`}>
            <strong className="font-semibold">{humanise(one.kind)}</strong> to <span className="font-mono text-[0.87rem]">{one.channel}</span>: {one.message}
            <span className="block text-[0.9rem] text-ink-2">Given up <Ago at={one.at} /> after {count(one.attempts, 'attempt')}: {one.problem}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
