import { AlertDialog } from 'radix-ui';
import { useState, type ReactNode } from 'react';
import type { Scope } from '~/model/access';
import { Button, type Weight } from './Button';
import { MayButton } from './may';
import { ErrorNote } from './states';

interface ConfirmProps {
  /** What confirming takes; who lacks it is told so in place of acting. */
  scope: Scope;
  title: string;
  children: ReactNode;
  confirm: string;
  grave?: boolean;
  /** False keeps the confirming button shut, e.g. while something is missing. */
  ready?: boolean;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onConfirm: () => Promise<unknown>;
}

/** Asks before what cannot simply be taken back. Stays open, with the reason, when the server refuses. */
export function Confirm({ scope, title, children, confirm, grave = false, ready = true, open, onOpenChange, onConfirm }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const weight: Weight = grave ? 'grave' : 'primary';
  const act = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onOpenChange(false);
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  const change = (next: boolean) => {
    setError(undefined);
    onOpenChange(next);
  };
  return (
    <AlertDialog.Root open={open} onOpenChange={change}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 bg-black/45" />
        <AlertDialog.Content className="arriving fixed inset-x-4 top-[8vh] z-50 mx-auto flex max-h-[84vh] max-w-xl flex-col gap-4 overflow-y-auto rounded-2xl border border-line bg-surface p-6 shadow-lift">
          <AlertDialog.Title className="text-xl font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description asChild><div className="flex flex-col gap-3 text-ink-2">{children}</div></AlertDialog.Description>
          {error !== undefined && <ErrorNote error={error} />}
          <div className="flex flex-wrap justify-end gap-2">
            <AlertDialog.Cancel asChild><Button weight="quiet">Keep as it is</Button></AlertDialog.Cancel>
            <MayButton scope={scope} weight={weight} busy={busy} disabled={!ready} onClick={() => void act()} data-testid="confirm">{confirm}</MayButton>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
