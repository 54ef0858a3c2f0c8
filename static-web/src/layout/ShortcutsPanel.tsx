import { useState } from 'react';
import { Panel } from '~/ui/Panel';
import { destinations } from './navigation';
import { setSingleKeys, singleKeysOn } from './shortcuts';

export function ShortcutsPanel({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const [on, setOn] = useState(singleKeysOn);
  const rows: [string, string][] = [
    ['Go anywhere', 'Ctrl or ⌘ K'],
    ['Next, previous in a list', 'j  k'],
    ['Open what is focused', 'Enter'],
    ['Search this page', '/'],
    ...destinations.map(({ label, letter }): [string, string] => [label, `g  ${letter}`]),
    ['This list', '?'],
  ];
  return (
    <Panel title="Keyboard" open={open} onOpenChange={onOpenChange}>
      <dl className="flex flex-col divide-y divide-line">
        {rows.map(([what, keys]) => (
          <div key={what} className="flex justify-between gap-4 py-2">
            <dt>{what}</dt>
            <dd><kbd className="font-mono text-[0.87rem] whitespace-pre">{keys}</kbd></dd>
          </div>
        ))}
      </dl>
      <label className="flex items-center gap-3">
        <input type="checkbox" className="size-5 accent-[var(--ink)]" checked={on} onChange={(event) => { setOn(event.target.checked); setSingleKeys(event.target.checked); }} />
        Single-key shortcuts
      </label>
    </Panel>
  );
}
