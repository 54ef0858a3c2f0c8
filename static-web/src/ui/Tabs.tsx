import { Tabs as Radix } from 'radix-ui';
import type { ReactNode } from 'react';

export interface TabItem {
  value: string;
  label: string;
  content: ReactNode;
}

/** Only the chosen tab is mounted, so that what is heavy loads when it is looked at. */
export function Tabs({ items, value, onChange, label }: { items: TabItem[]; value: string; onChange: (value: string) => void; label: string }) {
  return (
    <Radix.Root value={value} onValueChange={onChange} className="flex min-w-0 flex-col gap-5">
      <Radix.List aria-label={label} className="flex gap-1 overflow-x-auto border-b border-line">
        {items.map((item) => (
          <Radix.Trigger key={item.value} value={item.value} className="-mb-px min-h-10 border-b-2 border-transparent px-3 font-semibold whitespace-nowrap text-ink-2 hover:text-ink data-[state=active]:border-ink data-[state=active]:text-ink">
            {item.label}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {items.map((item) => <Radix.Content key={item.value} value={item.value}>{item.content}</Radix.Content>)}
    </Radix.Root>
  );
}
