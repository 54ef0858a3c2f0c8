import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { failuresQuery } from '~/api/queries';
import { recoveryWords } from '~/model/figures';
import { duration } from '~/model/format';
import { failureLook, humanise } from '~/model/status';
import { ButtonLink } from '~/ui/Button';
import { StatusPill } from '~/ui/Glyph';
import { Filter, MoreButton, RowLink, Rows } from '~/ui/list';
import { Page } from '~/ui/Page';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { Ago } from '~/ui/time';

export function FailuresPage() {
  const { status } = useSearch({ from: '/failures' });
  const navigate = useNavigate({ from: '/failures' });
  const failures = useInfiniteQuery(failuresQuery(status));
  const items = failures.data?.pages.flatMap((page) => page.items);
  return (
    <Page title="Failures" lead="What checks caught, tools refused or time ended. Open ones wait for you; the rest is kept to learn from.">
      <Filter
        label="Show" value={status ?? ''} onChange={(next) => void navigate({ search: { status: next || undefined } })}
        options={[{ value: '', label: 'All' }, { value: 'open', label: 'Open' }, { value: 'resolved', label: 'Resolved' }, { value: 'ignored', label: 'Ignored' }]}
      />
      {failures.isError && !items && <ErrorNote error={failures.error} retry={() => void failures.refetch()} />}
      {failures.isPending && <Loading lines={6} label="Loading failures" />}
      {items?.length === 0 && (
        <Empty title={status === 'open' ? 'Nothing is open' : 'No failure on record'} action={<ButtonLink to="/executions">See executions</ButtonLink>}>
          When a check is not met, the run pauses or ends as its recovery policy says, and the failure appears here with what may mend it.
        </Empty>
      )}
      {items && items.length > 0 && (
        <Rows label="Failures">
          {items.map((failure) => (
            <RowLink key={failure.id} to="/failures/$failureId" params={{ failureId: failure.id }} testId={`failure-${failure.id}`}>
              <span className="w-28 shrink-0"><StatusPill look={failureLook(failure.status)} /></span>
              <span className="min-w-0 flex-1 basis-44">
                <span className="font-semibold">{humanise(failure.class)}</span> <span className="text-ink-2">at {failure.step}</span>
                <span className="block text-[0.87rem] text-ink-2">{failure.workflow}{failure.code !== failure.class && `, ${humanise(failure.code).toLowerCase()}`}</span>
              </span>
              <span className="text-right text-[0.87rem] text-ink-2">
                <Ago at={failure.at} />
                {failure.recovery_ms !== undefined && <span className="block">{recoveryWords(failure.recovered_by)} {duration(failure.recovery_ms)}</span>}
              </span>
            </RowLink>
          ))}
        </Rows>
      )}
      <MoreButton query={failures} what="failures" />
    </Page>
  );
}
