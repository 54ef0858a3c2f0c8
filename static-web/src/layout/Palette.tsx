import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Dialog } from 'radix-ui';
import { useId, useState, type KeyboardEvent } from 'react';
import { latestExecutionsQuery } from '~/api/queries';
import { executionLook } from '~/model/status';
import { destinations } from './navigation';
import { setTheme } from './theme';

interface Entry {
  id: string;
  label: string;
  hint: string;
  act: () => void;
}

/** Ctrl or Cmd K: pages, the latest executions, any id typed or pasted. */
export function Palette({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/45" />
        <Dialog.Content aria-describedby={undefined} className="arriving fixed inset-x-4 top-[12vh] z-50 mx-auto max-w-lg overflow-hidden rounded-2xl border border-line bg-surface shadow-lift">
          <Dialog.Title className="sr-only">Go to</Dialog.Title>
          <PaletteBody close={() => onOpenChange(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function PaletteBody({ close }: { close: () => void }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const listId = useId();
  const entries = useEntries(text.trim());
  const chosen = Math.min(at, entries.length - 1);
  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    entry.act();
    close();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(entries.length - 1, chosen + 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(0, chosen - 1));
    else if (event.key === 'Enter') choose(entries[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        autoFocus role="combobox" aria-expanded="true" aria-controls={listId} aria-activedescendant={entries[chosen] ? `${listId}-${chosen}` : undefined} aria-label="Page, workflow or execution id"
        placeholder="Page, workflow or execution id" value={text} onChange={(event) => { setText(event.target.value); setAt(0); }} onKeyDown={onKey}
        className="w-full border-b border-line bg-transparent px-5 py-4 text-lg outline-none placeholder:text-ink-3"
      />
      <ul id={listId} role="listbox" aria-label="Results" className="max-h-[50vh] overflow-y-auto p-2">
        {entries.map((entry, index) => (
          <li key={entry.id} id={`${listId}-${index}`} role="option" aria-selected={index === chosen} onMouseMove={() => setAt(index)} onClick={() => choose(entry)} className={`flex cursor-pointer justify-between gap-4 rounded-lg px-3 py-2 ${index === chosen ? 'bg-sunken' : ''}`}>
            <span className="font-medium">{entry.label}</span>
            <span className="text-[0.87rem] text-ink-3">{entry.hint}</span>
          </li>
        ))}
      </ul>
      {entries.length === 0 && <p className="px-5 pb-5 text-ink-2">Nothing by that name. An execution can be opened by its whole id, exe_…</p>}
    </>
  );
}

function useEntries(text: string): Entry[] {
  const navigate = useNavigate();
  const latest = useQuery(latestExecutionsQuery());
  const all: Entry[] = [
    ...destinations.map((destination): Entry => ({ id: destination.to, label: destination.label, hint: `g ${destination.letter}`, act: () => void navigate({ to: destination.to }) })),
    { id: 'setup', label: 'Set up a workflow', hint: '', act: () => void navigate({ to: '/workflows/setup' }) },
    { id: 'import', label: 'Write a workflow', hint: '', act: () => void navigate({ to: '/workflows/import' }) },
    { id: 'compare', label: 'Compare two runs', hint: '', act: () => void navigate({ to: '/compare', search: {} }) },
    ...(latest.data?.items ?? []).map((run): Entry => ({
      id: run.id, label: `${run.workflow}  ${run.id}`, hint: executionLook(run.status).label, act: () => void navigate({ to: '/executions/$executionId', params: { executionId: run.id } }),
    })),
    ...(['light', 'dark', 'system'] as const).map((theme): Entry => ({ id: `theme-${theme}`, label: `Theme: ${theme}`, hint: '', act: () => setTheme(theme) })),
  ];
  if (/^exe_\S+$/.test(text) && !all.some((entry) => entry.id === text)) {
    return [{ id: text, label: `Open ${text}`, hint: 'execution', act: () => void navigate({ to: '/executions/$executionId', params: { executionId: text } }) }];
  }
  const wanted = text.toLowerCase();
  return all.filter((entry) => entry.label.toLowerCase().includes(wanted));
}
