import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { account } from '~/api/account';
import { invitationsQuery, membersQuery } from '~/api/accountQueries';
import type { InvitationView, MemberView } from '~/api/generated';
import { roles } from '~/model/access';
import { count, date } from '~/model/format';
import { Button } from '~/ui/Button';
import { Confirm } from '~/ui/Confirm';
import { SelectField, TextField } from '~/ui/form';
import { Section } from '~/ui/Page';
import { Panel } from '~/ui/Panel';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { Ago } from '~/ui/time';
import { CopyButton } from '~/ui/Value';

const roleOptions = roles.map(({ value, label }) => ({ value, label }));
const hintOf = (role: string) => roles.find(({ value }) => value === role)?.hint;
const teamsOf = (text: string) => text.split(',').map((team) => team.trim()).filter((team) => team !== '');

export function PeopleTab() {
  const members = useQuery(membersQuery);
  const invitations = useQuery(invitationsQuery);
  const [inviting, setInviting] = useState(false);
  return (
    <div className="flex flex-col gap-9">
      <Section title="Members" aside={<Button weight="primary" onClick={() => setInviting(true)} data-testid="invite">Invite somebody</Button>}>
        {members.isError && !members.data && <ErrorNote error={members.error} retry={() => void members.refetch()} />}
        {members.isPending && <Loading label="Loading the members" />}
        {members.data?.length === 0 && <Empty title="Nobody but keys">This tenant is used with keys only. Invite somebody: they sign in with an e-mail and a password of their own, and the audit trail says who did what.</Empty>}
        {members.data && members.data.length > 0 && <ul aria-label="Members" className="card divide-y divide-line">{members.data.map((member) => <Member key={member.id} member={member} />)}</ul>}
      </Section>
      {invitations.isError && !invitations.data && <ErrorNote error={invitations.error} retry={() => void invitations.refetch()} />}
      {invitations.data && invitations.data.length > 0 && (
        <Section title="Open invitations" aside={`${count(invitations.data.length, 'seat')} held`}>
          <ul aria-label="Open invitations" className="card divide-y divide-line">{invitations.data.map((invitation) => <Invitation key={invitation.id} invitation={invitation} />)}</ul>
        </Section>
      )}
      <Section title="What roles may">
        <dl className="grid gap-x-6 gap-y-1.5 sm:grid-cols-[max-content_1fr]">
          {roles.map(({ value, label, hint }) => <div key={value} className="contents"><dt className="font-semibold">{label}</dt><dd className="text-ink-2 max-sm:pb-1.5">{hint}</dd></div>)}
        </dl>
        <p className="measure text-[0.93rem] text-ink-2">Operating and approving are apart: nobody but an administrator can let their own work pass. A policy can escalate a review to a role or a team.</p>
      </Section>
      {inviting && <Invite onClose={() => setInviting(false)} />}
    </div>
  );
}

function Member({ member }: { member: MemberView }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState<'change' | 'remove' | 'erase'>();
  const refresh = () => client.invalidateQueries({ queryKey: ['members'] });
  const name = member.name ?? member.email ?? member.id;
  return (
    <li data-testid={`member-${member.email ?? member.id}`} className="flex flex-wrap items-center gap-x-5 gap-y-2 px-4 py-3">
      <span className="min-w-0 flex-1 basis-52">
        <strong className="font-semibold">{name}</strong>
        {member.email && member.email !== name && <span className="block text-[0.87rem] text-ink-2">{member.email}</span>}
        {member.teams.length > 0 && <span className="block text-[0.84rem] text-ink-2">{member.teams.length === 1 ? 'team' : 'teams'} {member.teams.join(', ')}</span>}
      </span>
      <span className="text-[0.9rem]">{roles.find(({ value }) => value === member.role)?.label ?? member.role}</span>
      <span className="text-[0.87rem] text-ink-2">since {date(member.joined_at)}</span>
      <span className="flex gap-1">
        <Button small weight="quiet" onClick={() => setAsking('change')} aria-label={`Change the role of ${name}`}>Change</Button>
        <Button small weight="quiet" onClick={() => setAsking('remove')} aria-label={`Remove ${name}`}>Remove</Button>
        <Button small weight="quiet" onClick={() => setAsking('erase')} aria-label={`Erase ${name}`}>Erase</Button>
      </span>
      {asking === 'change' && <ChangeMember member={member} name={name} onClose={() => setAsking(undefined)} />}
      <Confirm scope="admin" title={`Remove ${name}?`} confirm="Remove" grave open={asking === 'remove'} onOpenChange={() => setAsking(undefined)} onConfirm={async () => { await account.removeMember(member.id); await refresh(); }}>
        <p>Their sessions here end with the next request. What they did stays in the audit trail under their name.</p>
      </Confirm>
      <Confirm scope="admin" title={`Erase ${name}?`} confirm="Erase for good" grave open={asking === 'erase'} onOpenChange={() => setAsking(undefined)} onConfirm={async () => { await account.eraseMember(member.id); await refresh(); }}>
        <p>They leave the tenant, and what it holds about them is destroyed: e-mail, addresses and agents in the audit trail. The trail still verifies; nobody can read their name in it again.</p>
      </Confirm>
    </li>
  );
}

function ChangeMember({ member, name, onClose }: { member: MemberView; name: string; onClose: () => void }) {
  const [role, setRole] = useState(member.role);
  const [teams, setTeams] = useState(member.teams.join(', '));
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: () => account.changeMember(member.id, { role, teams: teamsOf(teams) }),
    onSuccess: async () => { await client.invalidateQueries({ queryKey: ['members'] }); onClose(); },
  });
  const submit = (event: FormEvent) => { event.preventDefault(); change.mutate(); };
  return (
    <Panel title={name} open onOpenChange={(open) => !open && onClose()}>
      <form onSubmit={submit} className="flex flex-col gap-4">
        <SelectField label="Role" value={role} onChange={(event) => setRole(event.target.value)} options={roleOptions} hint={hintOf(role)} testId="member-role" />
        <TextField label="Teams" value={teams} onChange={(event) => setTeams(event.target.value)} placeholder="risk, legal" hint="Names that a policy’s escalate_to may use, with commas between." />
        {change.isError && <ErrorNote error={change.error} />}
        <Button type="submit" weight="primary" className="self-start" busy={change.isPending} data-testid="member-save">Save</Button>
      </form>
    </Panel>
  );
}

function Invitation({ invitation }: { invitation: InvitationView }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  return (
    <li className="flex flex-wrap items-center gap-x-5 gap-y-2 px-4 py-3">
      <span className="min-w-0 flex-1 basis-52 font-medium">{invitation.email ?? 'erased'}</span>
      <span className="text-[0.9rem]">{invitation.role}</span>
      <span className="text-[0.87rem] text-ink-2">invited <Ago at={invitation.created_at} />, good until {date(invitation.expires_at)}</span>
      <Button small weight="quiet" onClick={() => setAsking(true)}>Take back</Button>
      <Confirm scope="admin" title="Take the invitation back?" confirm="Take it back" grave open={asking} onOpenChange={setAsking} onConfirm={async () => { await account.revokeInvitation(invitation.id); await client.invalidateQueries({ queryKey: ['invitations'] }); }}>
        <p>Its link stops working, and its seat is free again.</p>
      </Confirm>
    </li>
  );
}

function Invite({ onClose }: { onClose: () => void }) {
  const [email, setEmail] = useState('');
  const [role, setRole] = useState('operator');
  const [teams, setTeams] = useState('');
  const client = useQueryClient();
  const invite = useMutation({
    mutationFn: () => account.invite({ email: email.trim(), role, teams: teamsOf(teams) }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['invitations'] }),
  });
  const submit = (event: FormEvent) => { event.preventDefault(); invite.mutate(); };
  if (invite.data) {
    if (!invite.data.token) {
      return (
        <Panel title="The invitation is on its way" open onOpenChange={(open) => !open && onClose()}>
          <p className="text-ink-2">A mail to {email.trim()} carries it. It works once, until {date(invite.data.expires_at)}, and only for that address.</p>
          <Button weight="primary" className="self-end" onClick={onClose}>Done</Button>
        </Panel>
      );
    }
    const link = `${window.location.origin}/#invitation=${invite.data.token}`;
    return (
      <Panel title="Send them this link" open onOpenChange={(open) => !open && onClose()}>
        <div className="flex flex-wrap items-center gap-2 rounded-xl border border-wait bg-wait-wash p-3">
          <code data-testid="invitation-link" className="min-w-0 flex-1 basis-56 font-mono text-[0.87rem] break-all select-all">{link}</code>
          <CopyButton text={link} what="the link" />
        </div>
        <p className="text-ink-2">It is shown only now, works once, until {date(invite.data.expires_at)}, and only for {email.trim()}. Omium has sent no mail.</p>
        <Button weight="primary" className="self-end" onClick={onClose}>I have sent it</Button>
      </Panel>
    );
  }
  return (
    <Panel title="Invite somebody" open onOpenChange={(open) => !open && onClose()}>
      <form onSubmit={submit} className="flex flex-col gap-4">
        <TextField label="E-mail" type="email" required value={email} onChange={(event) => setEmail(event.target.value)} testId="invite-email" />
        <SelectField label="Role" value={role} onChange={(event) => setRole(event.target.value)} options={roleOptions} hint={hintOf(role)} testId="invite-role" />
        <TextField label="Teams" value={teams} onChange={(event) => setTeams(event.target.value)} placeholder="risk, legal" hint="Optional. Names that a policy’s escalate_to may use." />
        {invite.isError && <ErrorNote error={invite.error} />}
        <Button type="submit" weight="primary" className="self-start" busy={invite.isPending} data-testid="invite-submit">Make the invitation</Button>
      </form>
    </Panel>
  );
}
