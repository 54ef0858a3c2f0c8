import type { CallStatus, Decision, ExecutionStatus, ExecutionView, FailureStatus, ReviewKind, StepStatus } from '~/api/types';

/** Colour means state and nothing else: these five are all the colours the console has. */
export type Tone = 'quiet' | 'running' | 'good' | 'wait' | 'bad';

/** Shape says the same as colour, for those who do not see the colour. */
export type Shape = 'hollow' | 'half' | 'solid' | 'pause' | 'cross' | 'dash' | 'back' | 'question';

export interface StatusLook {
  label: string;
  tone: Tone;
  shape: Shape;
}

const execution: Record<ExecutionStatus, StatusLook> = {
  queued: { label: 'Queued', tone: 'quiet', shape: 'hollow' },
  running: { label: 'Running', tone: 'running', shape: 'half' },
  waiting: { label: 'Waiting', tone: 'wait', shape: 'pause' },
  paused: { label: 'Paused', tone: 'wait', shape: 'pause' },
  rolling_back: { label: 'Rolling back', tone: 'running', shape: 'back' },
  succeeded: { label: 'Succeeded', tone: 'good', shape: 'solid' },
  failed: { label: 'Failed', tone: 'bad', shape: 'cross' },
  cancelled: { label: 'Cancelled', tone: 'quiet', shape: 'dash' },
};

const step: Record<StepStatus, StatusLook> = {
  scheduled: { label: 'Scheduled', tone: 'quiet', shape: 'hollow' },
  running: { label: 'Running', tone: 'running', shape: 'half' },
  waiting: { label: 'Waiting', tone: 'wait', shape: 'pause' },
  committed: { label: 'Committed', tone: 'good', shape: 'solid' },
  failed: { label: 'Failed', tone: 'bad', shape: 'cross' },
  skipped: { label: 'Skipped', tone: 'quiet', shape: 'dash' },
  rolled_back: { label: 'Rolled back', tone: 'quiet', shape: 'back' },
  in_doubt: { label: 'In doubt', tone: 'wait', shape: 'question' },
};

const call: Record<CallStatus, StatusLook> = {
  requested: { label: 'Requested', tone: 'quiet', shape: 'hollow' },
  running: { label: 'Runs on its own', tone: 'running', shape: 'half' },
  awaiting_approval: { label: 'Awaiting approval', tone: 'wait', shape: 'pause' },
  intent: { label: 'Calling', tone: 'running', shape: 'half' },
  settled: { label: 'Done once', tone: 'good', shape: 'solid' },
  failed: { label: 'Failed', tone: 'bad', shape: 'cross' },
  in_doubt: { label: 'In doubt', tone: 'wait', shape: 'question' },
  refused: { label: 'Refused, never sent', tone: 'quiet', shape: 'dash' },
  compensated: { label: 'Undone', tone: 'quiet', shape: 'back' },
};

const failure: Record<FailureStatus, StatusLook> = {
  open: { label: 'Open', tone: 'bad', shape: 'cross' },
  resolved: { label: 'Resolved', tone: 'good', shape: 'solid' },
  ignored: { label: 'Ignored', tone: 'quiet', shape: 'dash' },
};

/** A newer server may send a status this console does not know: it is shown as it came. */
function look<K extends string>(table: Record<K, StatusLook>, status: string): StatusLook {
  return (table as Record<string, StatusLook>)[status] ?? { label: humanise(status), tone: 'quiet', shape: 'hollow' };
}

export const executionLook = (status: string) => look(execution, status);
export const stepLook = (status: string) => look(step, status);
export const callLook = (status: string) => look(call, status);
export const failureLook = (status: string) => look(failure, status);

export const executionStatuses = Object.keys(execution) as ExecutionStatus[];

/** `rolling_back` -> `Rolling back`. */
export function humanise(name: string): string {
  const words = name.replace(/[_-]+/g, ' ').trim();
  return words === '' ? '' : words[0]!.toUpperCase() + words.slice(1);
}

export const isEnded = (status: ExecutionStatus) => status === 'succeeded' || status === 'failed' || status === 'cancelled';

/** Whether a run stands still for a question to a person: to correct anything of it is then a decision. */
export const isAskedAbout = ({ status, open_reviews }: Pick<ExecutionView, 'status' | 'open_reviews'>) => status === 'paused' && open_reviews.length > 0;

/** What a waiting or paused execution waits for, as the end of the sentence "Waiting for ...". */
export function waitingFor(reason: string | undefined): string | undefined {
  const reasons: Record<string, string> = {
    timer: 'a retry that is due later',
    lock: 'a lock that another run holds',
    credits: 'credits',
    worker: 'a worker to pick it up',
    review: 'a person to decide',
    child: 'a child workflow',
  };
  return reason === undefined ? undefined : (reasons[reason] ?? humanise(reason).toLowerCase());
}

/** Which of the four actions make sense now. */
export function actionsFor(status: ExecutionStatus, openReviews: number): { pause: boolean; resume: boolean; cancel: boolean; rollback: boolean } {
  const ended = isEnded(status);
  return {
    pause: status === 'queued' || status === 'running' || (status === 'waiting' && openReviews === 0),
    // With an open review the decision resumes the run; a bare resume would be refused.
    resume: status === 'paused' && openReviews === 0,
    cancel: !ended && status !== 'rolling_back',
    rollback: status === 'paused' || status === 'waiting' || status === 'running' || status === 'failed',
  };
}

export interface DecisionLook {
  label: string;
  /** What happens, said before it is done. */
  consequence: string;
  grave: boolean;
  /** The decision carries an output that the person writes. */
  needsOutput: boolean;
}

export function decisionLook(decision: Decision, kind: ReviewKind): DecisionLook {
  const plain = (label: string, consequence: string, grave = false, needsOutput = false) => ({ label, consequence, grave, needsOutput });
  switch (decision) {
    case 'approve':
      if (kind === 'failure') return plain('Retry unchanged', 'The step runs again from the last checkpoint, with nothing changed.');
      if (kind === 'call_approval') return plain('Approve the call', 'The call goes out once, with exactly the arguments shown.');
      if (kind === 'verification') return plain('Approve', 'What was verified is taken as it is, and the run goes on.');
      return plain('Approve', 'The run goes on with what is shown.');
    case 'repeat':
      if (kind === 'verification') return plain('Ask all again', 'Every verifier is asked anew; their answers count from the start.');
      return plain('Measure again', 'The sender does not run again. What is measured outside is measured anew; if both views agree, the run goes on.');
    case 'edit': return plain('Retry with the edit', 'The step runs again from the last checkpoint with your edit, for this run only.');
    case 'override': return plain('Write the answer yourself', 'Your answer stands in for the step’s. The same checks are applied to it.', false, true);
    case 'accept_residue': return plain('Roll back and leave what cannot be undone', 'What can be undone is. What cannot stays, on the list of what was left in the world, under your key.', true);
    case 'rollback':
      if (kind === 'handoff') return plain('Run the sender again', 'The sender goes back to the checkpoint before it, its effects are undone, and it hands over anew.', true);
      return plain('Roll back', 'Everything that this run has done is undone, and it ends as cancelled. What cannot be undone is shown first.', true);
    case 'skip': return plain('Skip the step', 'The run goes on without this step. Steps that need its output are skipped too.', true);
    case 'reject':
      if (kind === 'call_approval' || kind === 'sandbox_call') return plain('Reject the call', 'The call is never sent. The step fails as rejected.', true);
      if (kind === 'verification') return plain('Reject', 'The attempt fails; retry and recovery policy decide what follows.', true);
      return plain('Reject', 'The run ends as failed. Finished checkpoints stay on record.', true);
    case 'done': return plain('It was done', 'The call counts as done and is not sent again. Give its result if later steps read it.', false, true);
    case 'answer': return plain('Give the answer', 'The run goes on as if the call had answered this. Nothing is sent.', false, true);
    case 'redo': return plain('It was not done: send it again', 'The call is sent again. If it had arrived after all, it happens twice.', true);
    // Nobody chose these: the question was closed by what became of its run.
    case 'rolled_back': return plain('Taken back with its step', 'A rollback took the step back that had asked.');
    case 'cancelled': return plain('Closed with its run', 'The run was cancelled while the question was open.');
    // A newer server may close one in a way that this console does not know: it is shown as it came.
    default: return plain(humanise(decision), 'This console is older than its server and does not know more about it.');
  }
}
