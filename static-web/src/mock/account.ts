import type { AuditRowView, BillingView, InvitationView, KeyView, MemberView, PolicyView, RetentionView, SecretView, TransactionView } from '~/api/generated';
import { starterPolicy, parsePolicy } from '~/model/policy';
import { fakeHash } from './run';

const dayMs = 86_400_000;
const at = (now: number, daysAgo: number, minutes = 0) => new Date(now - daysAgo * dayMs - minutes * 60_000).toISOString();

/** What one mock installation holds beside workflows and runs. */
export class Account {
  keys: KeyView[];
  members: MemberView[] = [];
  invitations: InvitationView[] = [];
  secrets: SecretView[] = [];
  policies: PolicyView[] = [];
  retention: RetentionView = { legal_hold: false };
  transactions: TransactionView[] = [];
  audit: AuditRowView[] = [];
  #now = Date.now();

  constructor(filled: boolean) {
    const now = this.#now;
    this.keys = [key('key_first', 'first key of this installation', 40, now, { last_used_at: at(now, 0), scopes: ['read', 'run', 'work', 'write', 'decide', 'admin'] })];
    this.note('key.created', 'omium', 'key_first', 40);
    if (!filled) return;
    this.keys.push(
      key('key_onboarding', 'onboarding-service', 20, now, { last_used_at: at(now, 0, 4), spend_cap_credits: 20_000 }),
      key('key_old', 'laptop', 35, now, { status: 'revoked' }),
    );
    this.members.push(
      { id: 'usr_ada', email: 'ada@company-x.example', name: 'Ada Brandt', role: 'admin', teams: [], joined_at: at(now, 38) },
      { id: 'usr_noor', email: 'noor@company-x.example', name: 'Noor Aziz', role: 'approver', teams: ['risk'], joined_at: at(now, 21) },
      { id: 'usr_tom', email: 'tom@company-x.example', role: 'operator', teams: [], joined_at: at(now, 9) },
    );
    this.invitations.push({ id: 'inv_1', email: 'lena@company-x.example', role: 'viewer', teams: [], invited_by: 'usr_ada', created_at: at(now, 1), expires_at: at(now, -6) });
    this.secrets.push({ name: 'crm_token', set_at: at(now, 12), set_by: 'usr_ada' });
    const policy = parsePolicy(starterPolicy);
    this.policies.push({ version: 1, policy: policy.ok ? policy.value : null, at: at(now, 30), by: 'usr_ada', warnings: [] });
    this.#money();
    this.note('member.joined', 'usr_noor', 'usr_noor', 21);
    this.note('key.created', 'usr_ada', 'key_onboarding', 20, { name: 'onboarding-service', spend_cap_credits: 20_000 });
    this.note('session.failed', 'usr_tom', 'usr_tom', 9);
    this.note('review.decided', 'usr_noor', 'rev_01JD6Q', 3, { decision: 'edit', edits: ['prompt'] });
    this.note('execution.rolled_back', 'omium', 'exe_01JD6QK2ZC0MPANYX42', 0, { to: 'credit_scored' });
  }

  note(action: string, actor: string, subject: string, daysAgo = 0, detail?: AuditRowView['detail']): void {
    const seq = this.audit.length + 1;
    const email = this.members.find(({ id }) => id === actor)?.email;
    this.audit.push({
      seq, id: `aud_${seq}`, at: at(this.#now, daysAgo), action, actor, subject, prev_hash: fakeHash(`audit${seq - 1}`), hash: fakeHash(`audit${seq}`),
      personal: email ? [{ person: actor, digest: fakeHash(actor), salt: '5f1c', data: { email, address: '192.0.2.7' } }] : [], ...(detail === undefined ? {} : { detail }),
    });
  }

  get billing(): BillingView {
    const balance = this.transactions.reduce((sum, move) => sum + (move.kind === 'topup' || move.kind === 'usage' ? move.credits : 0), 0);
    return {
      balance, usd: balance / 1000, remaining: balance - 40, reserved: 40, overdraft: 0, spent: 3_460, low: balance < 2_000,
      plan: { name: 'professional', checkpoints_per_month: 500_000, checkpoints_left: 461_204, seats: 5, period: '2026-11' },
      keys: [{ id: 'key_onboarding', cap: 20_000, used: 18_240, reserved: 40 }],
      top_up: { gateway: 'sandbox', minimum_usd: 10, presets_usd: [20, 50, 100], note: 'This installation has a sandbox in place of a payment service: no money moves.' },
    };
  }

  #money(): void {
    const move = (kind: TransactionView['kind'], credits: number, daysAgo: number, description: string, from: string, to: string, more: Partial<TransactionView> = {}) => {
      this.transactions.unshift({ id: `txn_${this.transactions.length + 1}`, at: at(this.#now, daysAgo), kind, credits, description, entries: [{ account: to, credits: Math.abs(credits) }, { account: from, credits: -Math.abs(credits) }], ...more });
    };
    move('topup', 20_000, 30, 'Top-up of 20.00 USD', 'payments', 'balance', { payment: 'cs_sandbox_81' });
    move('usage', -3_200, 12, 'Checkpoints and model calls', 'balance', 'spent');
    move('usage', -260, 2, 'Checkpoints and model calls', 'balance', 'spent', { execution: 'exe_01JD6QK2ZC0MPANYX42' });
  }
}

function key(id: string, name: string, daysAgo: number, now: number, more: Partial<KeyView>): KeyView {
  return { id, name, environment: 'dev', status: 'active', created_at: at(now, daysAgo), scopes: ['read', 'run', 'work', 'write', 'propose', 'decide'], created_by: 'key_first', ...more };
}
