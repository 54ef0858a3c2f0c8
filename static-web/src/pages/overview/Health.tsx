import { Link } from '@tanstack/react-router';
import type { ExecutionStatus, HealthSummary } from '~/api/types';
import { executionLook, executionStatuses } from '~/model/status';
import { count } from '~/model/format';
import { Glyph } from '~/ui/Glyph';

const fill = { quiet: 'bg-edge', running: 'bg-running', good: 'bg-good', wait: 'bg-wait', bad: 'bg-bad' } as const;

/** All runs as one bar in proportion, then each state by number; and what waits for a person in a sentence. */
export function Health({ health }: { health: HealthSummary }) {
  const present = executionStatuses.filter((status) => (health.executions_by_status[status] ?? 0) > 0);
  const total = present.reduce((sum, status) => sum + health.executions_by_status[status]!, 0);
  return (
    <div className="flex flex-col gap-4">
      <p className="text-[1.15rem]">
        <Waiting health={health} />
      </p>
      {total > 0 && (
        <div aria-hidden="true" className="flex h-2.5 gap-[3px] overflow-hidden rounded-full">
          {present.map((status) => <span key={status} className={`min-w-1.5 ${fill[executionLook(status).tone]}`} style={{ flexGrow: health.executions_by_status[status] }} />)}
        </div>
      )}
      <ul aria-label="Executions by status" className="flex flex-wrap gap-x-1 gap-y-1">
        {present.map((status) => <StatusLink key={status} status={status} number={health.executions_by_status[status]!} />)}
        {total === 0 && <li className="text-ink-2">No executions so far. {count(health.workflows, 'workflow')} saved.</li>}
      </ul>
    </div>
  );
}

function StatusLink({ status, number }: { status: ExecutionStatus; number: number }) {
  const look = executionLook(status);
  return (
    <li>
      <Link to="/executions" search={{ status }} className="flex min-h-9 items-center gap-2 rounded-lg px-2.5 hover:bg-sunken">
        <Glyph look={look} size={16} /><strong className="font-semibold">{number.toLocaleString('en')}</strong><span className="text-ink-2">{look.label.toLowerCase()}</span>
      </Link>
    </li>
  );
}

function Waiting({ health }: { health: HealthSummary }) {
  if (health.open_failures === 0 && health.open_reviews === 0) return <>Nothing waits for a person.</>;
  return (
    <>
      {health.open_failures > 0 && <Link to="/failures" search={{ status: 'open' }} className="font-semibold text-bad underline underline-offset-4">{count(health.open_failures, 'open failure')}</Link>}
      {health.open_failures > 0 && health.open_reviews > 0 && ' and '}
      {health.open_reviews > 0 && <Link to="/reviews" className="font-semibold text-wait underline underline-offset-4">{count(health.open_reviews, 'open review')}</Link>}
      {' '}wait for a person.
    </>
  );
}
