import { Link } from '@tanstack/react-router';
import type { HealthAlarm } from '~/api/types';
import { shortId } from '~/model/format';
import { humanise } from '~/model/status';
import { Section } from '~/ui/Page';
import { Ago } from '~/ui/time';

/** What is wrong with the installation, as opposed to a workflow; the oldest first. */
export function Alarms({ alarms }: { alarms: HealthAlarm[] }) {
  if (alarms.length === 0) return null;
  return (
    <Section title="Something is wrong with this installation">
      <ul aria-label="Alarms" className="flex flex-col gap-2">
        {alarms.map((alarm) => (
          <li key={`${alarm.code} ${alarm.execution ?? ''}`} data-testid={`alarm-${alarm.code}`} className="flex flex-col gap-1 rounded-xl border border-bad bg-bad-wash px-4 py-3">
            <span className="flex flex-wrap justify-between gap-x-4"><strong className="font-semibold">{humanise(alarm.code)}</strong><span className="text-[0.9rem] text-ink-2">since <Ago at={alarm.since} /></span></span>
            <span>{alarm.detail}</span>
            <span className="flex flex-wrap gap-x-5 text-[0.9rem]">
              {alarm.execution && <Link to="/executions/$executionId" params={{ executionId: alarm.execution }} className="underline underline-offset-2">Run {shortId(alarm.execution)}</Link>}
              <Link to="/guide/$" params={{ _splat: `errors/${alarm.code}` }} search={{}} className="underline underline-offset-2">What to do about it</Link>
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
