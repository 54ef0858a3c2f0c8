import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '~/api/client';
import type { KeyView } from '~/api/types';
import { humanise, type StatusLook } from '~/model/status';
import { Button } from '~/ui/Button';
import { Confirm } from '~/ui/Confirm';
import { StatusPill } from '~/ui/Glyph';
import { Panel } from '~/ui/Panel';
import { Ago } from '~/ui/time';
import { Secret } from './Secret';

const look = (status: string): StatusLook => ({ label: humanise(status), tone: status === 'active' ? 'good' : 'quiet', shape: status === 'active' ? 'solid' : 'dash' });

export function KeyRow({ item, inUse }: { item: KeyView; inUse: boolean }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState<'rotate' | 'revoke'>();
  const [rotated, setRotated] = useState<KeyView>();
  const refresh = () => client.invalidateQueries({ queryKey: ['keys'] });
  const revoke = async () => {
    await api.revokeKey(item.id);
    await refresh();
  };
  const rotate = async () => {
    setRotated(await api.rotateKey(item.id));
    await refresh();
  };
  return (
    <li data-testid={`key-${item.id}`} className="flex flex-wrap items-center gap-x-5 gap-y-2 px-4 py-3">
      <span className="min-w-0 flex-1 basis-48">
        <strong className="font-semibold">{item.name}</strong>{inUse && <span className="text-[0.87rem] text-ink-2"> (you are signed in with it)</span>}
        <span className="block font-mono text-[0.82rem] break-all text-ink-2">{item.id}</span>
      </span>
      <StatusPill look={look(item.status)} />
      <span className="text-[0.87rem] text-ink-2">{item.environment}, {item.last_used_at ? <>last used <Ago at={item.last_used_at} /></> : 'never used'}</span>
      {item.status === 'active' && (
        <span className="flex gap-1">
          {!inUse && <Button small weight="quiet" onClick={() => setAsking('rotate')}>Rotate</Button>}
          <Button small weight="quiet" onClick={() => setAsking('revoke')} aria-label={`Revoke ${item.name}`}>Revoke</Button>
        </span>
      )}
      <Confirm title={`Revoke ${item.name}?`} confirm="Revoke it" grave open={asking === 'revoke'} onOpenChange={() => setAsking(undefined)} onConfirm={revoke}>
        <p>Every request with it is refused from now on. Runs that it started go on.{inUse && ' You are signed in with it, so you will be signed out.'}</p>
      </Confirm>
      <Confirm title={`Rotate ${item.name}?`} confirm="Rotate it" open={asking === 'rotate'} onOpenChange={() => setAsking(undefined)} onConfirm={rotate}>
        <p>You get a new secret. The old one is refused at once.</p>
      </Confirm>
      {rotated?.secret && <Panel title={`The new secret of ${item.name}`} open onOpenChange={() => setRotated(undefined)}><Secret secret={rotated.secret} /></Panel>}
    </li>
  );
}
