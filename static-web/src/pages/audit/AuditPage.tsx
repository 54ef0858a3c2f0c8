import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { account, download } from '~/api/account';
import { auditQuery } from '~/api/accountQueries';
import type { AuditRowView } from '~/api/generated';
import { auditLook, personOf } from '~/model/audit';
import { clock, date, shortId } from '~/model/format';
import { Button } from '~/ui/Button';
import { Facts } from '~/ui/form';
import { Filter, Filters, MoreButton } from '~/ui/list';
import { Behind } from '~/ui/may';
import { Page } from '~/ui/Page';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { CopyButton, JsonBlock } from '~/ui/Value';

const kinds = [
  { value: '', label: 'Everything' }, { value: 'session.', label: 'Sign-ins' }, { value: 'member.', label: 'Members' }, { value: 'invitation.', label: 'Invitations taken back' }, { value: 'key.', label: 'Keys' },
  { value: 'review.', label: 'Decisions' }, { value: 'execution.', label: 'Runs steered' }, { value: 'residue.', label: 'What was left behind' }, { value: 'secret.', label: 'Secrets' }, { value: 'person.', label: 'Persons erased' }, { value: 'sso.', label: 'Single sign-on' }, { value: 'retention.', label: 'Retention' }, { value: 'audit.', label: 'Exports of this trail' },
];

export function AuditPage() {
  return (
    <Page title="Audit trail" lead="Who did what, when, from where. Every row is chained to the one before it; nothing is ever changed or taken out.">
      <Behind scope="admin" what="The audit trail"><Trail /></Behind>
    </Page>
  );
}

function Trail() {
  const search = useSearch({ from: '/audit' });
  const navigate = useNavigate({ from: '/audit' });
  const { action, actor, subject, from, to } = search;
  const rows = useInfiniteQuery(auditQuery({ action, actor, subject, from: from && `${from}T00:00:00Z`, to: to && `${to}T00:00:00Z` }));
  const items = rows.data?.pages.flatMap((page) => page.items);
  const set = (next: Partial<typeof search>) => void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  const filtered = Boolean(action || actor || subject || from || to);
  return (
    <div className="flex flex-col gap-5">
      <Proof />
      <div role="search" aria-label="Filter the trail" className="flex flex-wrap items-end gap-x-5 gap-y-3">
        <Filters active={filtered}>
          <Filter label="What" value={action ?? ''} onChange={(next) => set({ action: next || undefined })} options={kinds.some(({ value }) => value === (action ?? '')) ? kinds : [...kinds, { value: action!, label: action! }]} />
          <Words label="Who" value={actor} placeholder="usr_… or key_…" onChange={(next) => set({ actor: next })} />
          <Words label="To what" value={subject} placeholder="exe_…, rev_…, key_…" onChange={(next) => set({ subject: next })} />
          <label className="flex items-center gap-2 text-[0.9rem] text-ink-2">From<input type="date" className="field min-h-10 w-auto" value={from ?? ''} onChange={(event) => set({ from: event.target.value || undefined })} /></label>
          <label className="flex items-center gap-2 text-[0.9rem] text-ink-2">Before<input type="date" className="field min-h-10 w-auto" value={to ?? ''} onChange={(event) => set({ to: event.target.value || undefined })} /></label>
        </Filters>
        {filtered && <Button small weight="quiet" onClick={() => void navigate({ search: {}, replace: true })}>Clear</Button>}
      </div>
      {rows.isError && !items && <ErrorNote error={rows.error} retry={() => void rows.refetch()} />}
      {rows.isPending && <Loading lines={8} label="Loading the trail" />}
      {items?.length === 0 && !rows.hasNextPage && <Empty title={filtered ? 'No row matches' : 'The trail is empty'}>{filtered ? 'Take a filter away, or look at another span of days.' : 'Sign-ins, keys, decisions and changes of settings are written here from now on.'}</Empty>}
      {items && items.length > 0 && <ol aria-label="Rows of the trail" className="card divide-y divide-line">{items.map((row) => <Row key={row.seq} row={row} onActor={(next) => set({ actor: next })} onSubject={(next) => set({ subject: next })} />)}</ol>}
      <MoreButton query={rows} what="rows" />
    </div>
  );
}

/** Waits for Enter or for leaving the field: an id that is half typed finds nothing. */
function Words({ label, value, placeholder, onChange }: { label: string; value: string | undefined; placeholder: string; onChange: (value: string | undefined) => void }) {
  const [draft, setDraft] = useState<string>();
  const keep = () => {
    if (draft !== undefined && draft.trim() !== (value ?? '')) onChange(draft.trim() || undefined);
    setDraft(undefined);
  };
  return (
    <form onSubmit={(event: FormEvent) => { event.preventDefault(); keep(); }}>
      <label className="flex items-center gap-2 text-[0.9rem] text-ink-2">{label}<input className="field min-h-10 w-44 font-mono text-[0.84rem]" placeholder={placeholder} value={draft ?? value ?? ''} onChange={(event) => setDraft(event.target.value)} onBlur={keep} /></label>
    </form>
  );
}

function Proof() {
  const verify = useMutation({ mutationFn: account.verifyAudit });
  const exporting = useMutation({ mutationFn: (format: 'jsonl' | 'csv') => download(`/v1/audit/export?format=${format}`, `omium-audit-${new Date().toISOString().slice(0, 10)}.${format}`) });
  const whole = verify.data && !/corrupt|broken|changed/.test(verify.data.status);
  return (
    <div className="flex flex-wrap items-center gap-3">
      <Button busy={verify.isPending} onClick={() => verify.mutate()} data-testid="verify-audit">Verify the trail</Button>
      <Button weight="quiet" busy={exporting.isPending} onClick={() => exporting.mutate('jsonl')}>Export as JSON lines</Button>
      <Button weight="quiet" busy={exporting.isPending} onClick={() => exporting.mutate('csv')}>Export as CSV</Button>
      <div role="status" className="w-full empty:hidden">
        {verify.data && (
          <div data-testid="audit-verdict" className={`flex flex-wrap items-center gap-x-3 gap-y-1 rounded-xl px-4 py-3 ${whole ? 'bg-good-wash' : 'bg-bad-wash'}`}>
            <span className={`font-semibold ${whole ? 'text-good' : 'text-bad'}`}>{whole ? `Whole: ${verify.data.rows.toLocaleString('en')} rows, seals, chain and hashes hold.` : `Not whole: ${verify.data.status}.`}</span>
            {verify.data.detail && <span>{verify.data.detail}</span>}
            <span className="flex w-full flex-wrap items-center gap-2 text-[0.87rem] text-ink-2">Keep the head; it proves later that no end was cut off: <code className="font-mono break-all text-ink">{verify.data.head}</code><CopyButton text={verify.data.head} what="the head" /></span>
          </div>
        )}
        {verify.isError && <ErrorNote error={verify.error} />}
        {exporting.isError && <ErrorNote error={exporting.error} />}
      </div>
    </div>
  );
}

function Row({ row, onActor, onSubject }: { row: AuditRowView; onActor: (actor: string) => void; onSubject: (subject: string) => void }) {
  const { words, grave } = auditLook(row.action);
  return (
    <li>
      <details>
        <summary data-list-item className="grid cursor-pointer list-none grid-cols-[minmax(0,1fr)_auto] items-baseline gap-x-4 px-4 py-2 hover:bg-sunken focus-visible:-outline-offset-2 sm:grid-cols-[12.5rem_minmax(0,1.4fr)_minmax(0,1fr)_auto] [&::-webkit-details-marker]:hidden">
          <span className="font-mono text-[0.82rem] text-ink-2 max-sm:col-span-2"><time dateTime={row.at}>{date(row.at)}, {clock(row.at)}</time></span>
          <span className={`font-medium ${grave ? 'text-bad' : ''}`}>{words}</span>
          <span className="min-w-0 truncate text-[0.87rem] text-ink-2 max-sm:hidden">{personOf(row) ?? <span className="font-mono text-[0.82rem]">{shortId(row.actor)}</span>}</span>
          <span className="font-mono text-[0.82rem] text-ink-3">{row.seq}</span>
        </summary>
        <div className="flex flex-col gap-3 px-4 pb-4">
          <Facts rows={[
            ['Action', <code key="action" className="font-mono text-[0.87rem]">{row.action}</code>],
            ['By', <Pick key="by" text={row.actor} onPick={onActor} />], ['To', <Pick key="to" text={row.subject} onPick={onSubject} />],
            ['Hash', <code key="hash" className="font-mono text-[0.78rem] break-all text-ink-2">{row.hash}</code>],
          ]}
          />
          {row.detail !== undefined && row.detail !== null && <JsonBlock value={row.detail} label={`Detail of row ${row.seq}`} />}
          {row.personal.length > 0 && <JsonBlock value={row.personal.map(({ person, data }) => ({ person, data: data ?? 'erased' }))} label={`Persons of row ${row.seq}`} />}
        </div>
      </details>
    </li>
  );
}

function Pick({ text, onPick }: { text: string; onPick: (text: string) => void }) {
  return <button type="button" className="font-mono text-[0.87rem] break-all underline underline-offset-2" title="Only rows with it" onClick={() => onPick(text)}>{text}</button>;
}
