import { Tooltip } from 'radix-ui';
import { useId, type ComponentProps, type ReactNode } from 'react';
import { useWhyNot } from '~/api/may';
import type { Scope } from '~/model/access';
import { Button } from './Button';
import { Empty } from './states';

/** A button for what takes a scope, or several. Who lacks it can reach the button all the same, and is told why it does nothing. */
export function MayButton({ scope, onClick, className = '', ...button }: ComponentProps<typeof Button> & { scope: Scope | Scope[] }) {
  const whyNot = useWhyNot(scope);
  const reason = useId();
  if (whyNot === undefined) return <Button {...button} className={className} onClick={onClick} />;
  return (
    <Tooltip.Provider delayDuration={150}>
      <Tooltip.Root>
        <Tooltip.Trigger asChild>
          <Button {...button} type="button" className={`${className} cursor-not-allowed opacity-60`} aria-disabled aria-describedby={reason} onClick={undefined} />
        </Tooltip.Trigger>
        <span id={reason} hidden>{whyNot}</span>
        <Tooltip.Portal>
          <Tooltip.Content sideOffset={6} collisionPadding={12} className="arriving z-50 max-w-72 rounded-lg bg-ink px-3 py-2 text-[0.87rem] text-canvas shadow-lift">{whyNot}</Tooltip.Content>
        </Tooltip.Portal>
      </Tooltip.Root>
    </Tooltip.Provider>
  );
}

/** A page of which nothing may be seen: says so in place of its content. */
export function Behind({ scope, what, children }: { scope: Scope; what: string; children: ReactNode }) {
  const whyNot = useWhyNot(scope);
  if (whyNot === undefined) return children;
  return <Empty title={`${what} is not yours to see`}>{whyNot} Ask an administrator of this tenant.</Empty>;
}
