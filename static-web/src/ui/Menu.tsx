import { DropdownMenu } from 'radix-ui';
import type { ReactNode } from 'react';

export interface MenuItem {
  key: string;
  label: string;
  hint?: string;
  grave?: boolean;
  /** Only where the side navigation is not shown. */
  narrow?: boolean;
  onSelect: () => void;
}

export function Menu({ trigger, items, label }: { trigger: ReactNode; items: MenuItem[]; label: string }) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content aria-label={label} align="end" sideOffset={6} collisionPadding={12} className="arriving z-50 flex max-h-[80dvh] max-w-80 min-w-56 flex-col overflow-y-auto rounded-xl border border-line bg-surface p-1.5 shadow-lift">
          {items.map((item) => (
            <DropdownMenu.Item key={item.key} data-testid={`menu-${item.key}`} onSelect={item.onSelect} className={`flex cursor-pointer flex-col rounded-lg px-3 py-2 outline-none data-[highlighted]:bg-sunken ${item.narrow ? 'lg:hidden' : ''}`}>
              <span className={`font-semibold ${item.grave ? 'text-bad' : ''}`}>{item.label}</span>
              {item.hint && <span className="text-[0.84rem] text-ink-2">{item.hint}</span>}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
