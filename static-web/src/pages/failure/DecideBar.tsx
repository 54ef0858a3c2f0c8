import { useState } from 'react';
import { useWhyNot } from '~/api/may';
import type { CheckpointView, Decision, FailureView, ReviewView } from '~/api/types';
import { decisionLook } from '~/model/status';
import { Button } from '~/ui/Button';
import { MayButton } from '~/ui/may';
import { Menu } from '~/ui/Menu';
import { ErrorNote } from '~/ui/states';
import { DecisionDialog } from '../reviews/DecisionDialog';
import { IgnoreDialog } from './IgnoreDialog';

interface DecideBarProps {
  review: ReviewView;
  failure: FailureView;
  others: Decision[];
  retryFrom: CheckpointView | undefined;
  canTest: boolean;
  edited: boolean;
  canRetry: boolean;
  testing: boolean;
  retrying: boolean;
  retryError: unknown;
  passed: boolean;
  onTest: () => void;
  onRetry: () => void;
}

/** Stays in reach at the foot of the page while one reads and edits. */
export function DecideBar(props: DecideBarProps) {
  const [chosen, setChosen] = useState<Decision>();
  const [ignoring, setIgnoring] = useState(false);
  const { review, retryFrom } = props;
  const mayDecide = useWhyNot('decide') === undefined;
  const items = [
    ...props.others.map((decision) => {
      const look = decisionLook(decision, review.kind);
      return { key: decision, label: look.label, hint: look.consequence, grave: look.grave, onSelect: () => setChosen(decision) };
    }),
    { key: 'ignore', label: 'Ignore this failure', hint: 'It leaves the list of open failures. The run stays paused.', onSelect: () => setIgnoring(true) },
  ];
  return (
    <div className="sticky bottom-16 z-20 flex flex-col gap-2 rounded-[var(--radius-card)] border border-edge bg-surface p-3 shadow-lift lg:bottom-4">
      {props.retryError ? <ErrorNote error={props.retryError} /> : null}
      <div className="flex flex-wrap gap-2">
        {props.canTest && <MayButton scope="propose" weight={props.passed ? 'plain' : 'primary'} busy={props.testing} disabled={!props.edited} onClick={props.onTest} data-testid="test-fix">Test fix</MayButton>}
        <MayButton scope="decide" weight={props.passed || !props.canTest ? 'primary' : 'plain'} busy={props.retrying} disabled={!props.canRetry} onClick={props.onRetry} data-testid="retry-button" className="max-sm:flex-1">
          Retry from {retryFrom ? 'checkpoint' : 'the step'}
        </MayButton>
        {mayDecide
          ? <Menu label="Other decisions" items={items} trigger={<Button weight="quiet" data-testid="decision-menu">Other decisions</Button>} />
          : <MayButton scope="decide" weight="quiet" data-testid="decision-menu">Other decisions</MayButton>}
      </div>
      <p className="px-1 max-sm:hidden text-[0.87rem] text-ink-2">
        {retryFrom ? <>Begins after <strong className="font-semibold text-ink">{retryFrom.name}</strong>. What is committed is not run again.</> : 'What is committed is not run again.'}
        {props.canTest && !props.edited && ' Edit the prompt or a constraint to test a fix.'}
      </p>
      {chosen && <DecisionDialog review={review} decision={chosen} onClose={() => setChosen(undefined)} />}
      <IgnoreDialog failure={props.failure} open={ignoring} onOpenChange={setIgnoring} />
    </div>
  );
}
