import type { FailureView } from '~/api/types';
import { duration, offset } from '~/model/format';
import type { StatusLook } from '~/model/status';
import { Section } from '~/ui/Page';
import { Knot, Thread } from '~/ui/Thread';

const done: StatusLook = { label: 'Done', tone: 'good', shape: 'solid' };
const bad: StatusLook = { label: 'Detected', tone: 'bad', shape: 'cross' };
const waits: StatusLook = { label: 'Waits', tone: 'wait', shape: 'pause' };

/** What Omium did by itself, with the time after detection. */
export function AutomaticActions({ failure }: { failure: FailureView }) {
  if (failure.automatic_actions.length === 0) return null;
  const from = failure.failure.at;
  return (
    <Section title="What Omium did by itself" aside={failure.detection_to_paused_ms !== undefined && <>Detected to paused: <strong className="text-ink">{duration(failure.detection_to_paused_ms)}</strong></>}>
      <Thread label="Automatic actions">
        {failure.automatic_actions.map((action, index) => (
          <Knot key={`${action.seq}-${index}`} look={action.severity === 'error' ? bad : action.severity === 'warning' ? waits : done} last={index === failure.automatic_actions.length - 1}>
            <div className="flex flex-wrap justify-between gap-x-4">
              <span className="font-medium">{action.title}</span>
              <span className="font-mono text-[0.82rem] text-ink-3">{offset(from, action.at)}</span>
            </div>
            {action.detail && <p className="text-[0.92rem] text-ink-2">{action.detail}</p>}
          </Knot>
        ))}
      </Thread>
    </Section>
  );
}
