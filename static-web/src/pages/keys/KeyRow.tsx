import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { account } from '~/api/account';
import type { KeyUseView, KeyView } from '~/api/generated';
import { humanise, type StatusLook } from '~/model/status';
import { Confirm } from '~/ui/Confirm';
import { StatusPill } from '~/ui/Glyph';
import { MayButton } from '~/ui/may';
import { Panel } from '~/ui/Panel';
import { Ago } from '~/ui/time';
import { Secret } from './Secret';

const look = (status: string): StatusLook => ({ label: humanise(status), tone: status === 'active' ? 'good' : 'quiet', shape: status === 'active' ? 'solid' : 'dash' });

export function KeyRow({ item, inUse, use }: { item: KeyView; inUse: boolean; use?: KeyUseView | undefined }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState<'rotate' | 'revoke'>();
  const [rotated, setRotated] = useState<KeyView>();
  const refresh = () => client.invalidateQueries({ queryKey: ['keys'] });
  const revoke = async () => {
    await account.revokeKey(item.id);
    await refresh();
  };
  const rotate = async () => {
    setRotated(await account.rotateKey(item.id));
    await refresh();
  };
  return (
    <li data-testid={`key-${item.id}`} className="flex flex-wrap items-center gap-x-5 gap-y-2 px-4 py-3">
      <span className="min-w-0 flex-1 basis-48">
        <strong className="font-semibold">{item.name}</strong>{inUse && <span className="text-[0.87rem] text-ink-2"> (you are signed in with it)</span>}
        <span className="block font-mono text-[0.82rem] break-all text-ink-2">{item.id}</span>
        <span className="block text-[0.84rem] text-ink-2">may {item.scopes.join(', ')}</span>
      </span>
      <StatusPill look={look(item.status)} />
      <span className="flex flex-col text-[0.87rem] text-ink-2 sm:w-40">
        <span>{item.environment}, {item.last_used_at ? <>used <Ago at={item.last_used_at} /></> : 'never used'}</span>
        {item.spend_cap_credits !== undefined && <Cap cap={item.spend_cap_credits} used={use?.used ?? 0} />}
      </span>
      {item.status === 'active' && (
        <span className="flex gap-1">
          {!inUse && <MayButton scope="admin" small weight="quiet" onClick={() => setAsking('rotate')} aria-label={`Rotate ${item.name}`}>Rotate</MayButton>}
          <MayButton scope="admin" small weight="quiet" onClick={() => setAsking('revoke')} aria-label={`Revoke ${item.name}`}>Revoke</MayButton>
        </span>
      )}
      <Confirm scope="admin" title={`Revoke ${item.name}?`} confirm="Revoke it" grave open={asking === 'revoke'} onOpenChange={() => setAsking(undefined)} onConfirm={revoke}>
        <p>Every request with it is refused from now on. Runs that it started go on.{inUse && ' You are signed in with it, so you will be signed out.'}</p>
      </Confirm>
      <Confirm scope="admin" title={`Rotate ${item.name}?`} confirm="Rotate it" open={asking === 'rotate'} onOpenChange={() => setAsking(undefined)} onConfirm={rotate}>
        <p>You get a new secret. The old one is refused at once.</p>
      </Confirm>
      {rotated?.secret && <Panel title={`The new secret of ${item.name}`} open onOpenChange={() => setRotated(undefined)}><Secret secret={rotated.secret} /></Panel>}
    </li>
  );
}

/** How much of a month's cap is used: a bar for the eye, the numbers for everybody. */
function Cap({ cap, used }: { cap: number; used: number }) {
  const share = Math.min(1, cap === 0 ? 1 : used / cap);
  return (
    <span className="flex flex-col gap-1">
      <span>{Math.round(used).toLocaleString('en')} of {cap.toLocaleString('en')} credits</span>
      <span aria-hidden="true" className="h-1.5 overflow-hidden rounded-full bg-sunken"><span className={`block h-full ${share >= 1 ? 'bg-bad' : share > 0.9 ? 'bg-wait' : 'bg-edge'}`} style={{ width: `${share * 100}%` }} /></span>
    </span>
  );
}
