import { Dialog } from 'radix-ui';
import type { ReactNode } from 'react';
import { Button } from './Button';

export function Panel({ title, description, children, open, onOpenChange, wide = false }: { title: string; wide?: boolean; description?: string; children: ReactNode; open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/45" />
        <Dialog.Content {...(description ? {} : { 'aria-describedby': undefined })} className={`arriving fixed inset-x-4 top-[8vh] z-50 mx-auto flex max-h-[84vh] flex-col gap-4 overflow-y-auto rounded-2xl border border-line bg-surface p-6 shadow-lift ${wide ? 'max-w-4xl' : 'max-w-xl'}`}>
          <div className="flex items-start justify-between gap-4">
            <Dialog.Title className="text-xl font-semibold">{title}</Dialog.Title>
            <Dialog.Close asChild><Button small weight="quiet">Close</Button></Dialog.Close>
          </div>
          {description && <Dialog.Description className="text-ink-2">{description}</Dialog.Description>}
          {children}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
