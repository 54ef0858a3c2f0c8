import { useState } from 'react';
import { currentKey } from '~/api/session';
import type { Checklist } from '~/model/checklist';
import { Button } from '~/ui/Button';
import { MayButton } from '~/ui/may';
import { CopyButton } from '~/ui/Value';
import { CreateKeyForm } from '../keys/CreateKey';
import { CheckStep } from './CheckStep';

export function CreditsStep({ credits }: { credits: Checklist['credits'] }) {
  return (
    <CheckStep testId="checklist-credits" title="Credits" done={credits.done}>
      <p className="measure text-ink-2">
        {!credits.metered && 'This is an installation of your own: nothing is metered here, so there is nothing to buy.'}
        {credits.metered && credits.done && <>You have <strong className="font-semibold text-ink">{credits.balance?.toLocaleString('en')} credits</strong>. A committed checkpoint costs 5.</>}
        {credits.metered && !credits.done && 'Your balance is empty: a new run would be refused. Top up first; a committed checkpoint costs 5 credits, half a cent.'}
      </p>
    </CheckStep>
  );
}

export function KeyStep({ state, onUseReady }: { state: Checklist['key']; onUseReady: () => void }) {
  const [creating, setCreating] = useState(false);
  const ready = currentKey();
  return (
    <CheckStep testId="checklist-key" title="An API key" done={state.done}>
      <p className="measure text-ink-2">
        {state.extra
          ? <>Your key <strong className="font-semibold text-ink">{state.extra.name}</strong> is ready.</>
          : state.done ? 'You use the key that was made with this installation.' : 'Your programs call Omium with a key. One was made with this installation; use it, or create one for each program.'}
      </p>
      {creating && <div className="w-full max-w-lg"><CreateKeyForm suggestion="my-first-key" /></div>}
      {!creating && !state.done && (
        <span className="flex flex-wrap gap-2">
          <MayButton scope="admin" onClick={() => setCreating(true)} data-testid="checklist-create-key">Create a key</MayButton>
          {ready && <CopyButton text={ready} what="the key you are signed in with" label="Copy the ready one" small={false} />}
          <Button weight="quiet" onClick={onUseReady} data-testid="checklist-use-ready-key">Use the ready one</Button>
        </span>
      )}
    </CheckStep>
  );
}
