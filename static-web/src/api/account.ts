import { get, id, pages, post, query, request, send, specBody, type Options } from './client';
import type {
  AcceptInvitationRequest, AuditRowViewPage, AuditVerifyView, BillingView, ChangeMemberRequest, ChangePasswordRequest, CreateKeyRequest, DryRunView,
  ErasureView, InvitationView, InviteRequest, Json, KeyView, KeyViewPage, MemberView, PolicyView, RetentionView, RetentionViewInput, SecretView,
  SessionView, SetSingleSignOnRequest, SignedInView, SignInRequest, SignUpRequest, SignUpView, SingleSignOnView, TopUpView, TransactionViewPage, VerifySignUpRequest, VerifyView,
} from './generated';

export interface AuditFilter {
  action?: string | undefined;
  actor?: string | undefined;
  subject?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

const put = <T>(path: string, body: unknown) => request<T>(path, { method: 'PUT', body });
const remove = (path: string) => request<void>(path, { method: 'DELETE' });

/** Who may use this tenant, with what, for how much, and what was done: everything that is not about a workflow or a run. */
export const account = {
  signUp: (body: SignUpRequest) => post<SignUpView>('/v1/auth/signup', body),
  verifySignUp: (body: VerifySignUpRequest) => post<SignedInView>('/v1/auth/verify', { ...body, cookie: true }),
  signIn: (body: SignInRequest) => post<SignedInView>('/v1/auth/login', { ...body, cookie: true }),
  accept: (body: AcceptInvitationRequest) => post<SignedInView>('/v1/auth/accept', { ...body, cookie: true }),
  session: () => get<SessionView>('/v1/auth/session'),
  switchTenant: (tenant: string) => post<SignedInView>('/v1/auth/switch', { tenant }),
  signOut: () => post<void>('/v1/auth/logout'),
  changePassword: (body: ChangePasswordRequest) => post<void>('/v1/auth/password', body),

  keys: () => get<KeyViewPage>('/v1/keys?limit=100'),
  createKey: (body: CreateKeyRequest) => post<KeyView>('/v1/keys', body),
  rotateKey: (key: string) => post<KeyView>(`/v1/keys/${id(key)}/rotate`),
  revokeKey: (key: string) => remove(`/v1/keys/${id(key)}`),

  members: () => pages<MemberView>((cursor) => `/v1/members${query({ cursor })}`),
  changeMember: (member: string, body: ChangeMemberRequest) => put<MemberView>(`/v1/members/${id(member)}`, body),
  removeMember: (member: string) => remove(`/v1/members/${id(member)}`),
  eraseMember: (member: string) => post<ErasureView>(`/v1/members/${id(member)}/erase`),
  invitations: () => pages<InvitationView>((cursor) => `/v1/invitations${query({ cursor })}`),
  invite: (body: InviteRequest) => post<InvitationView>('/v1/invitations', body),
  revokeInvitation: (invitation: string) => remove(`/v1/invitations/${id(invitation)}`),

  billing: () => get<BillingView>('/v1/billing'),
  transactions: (kind?: string, cursor?: string) => get<TransactionViewPage>(`/v1/billing/transactions${query({ kind, cursor, limit: 50 })}`),
  verifyBilling: () => get<VerifyView>('/v1/billing/verify'),
  topUp: (amountUsd: number) => post<TopUpView>('/v1/billing/topups', { amount_usd: amountUsd }),

  audit: (filter: AuditFilter, cursor?: string) => get<AuditRowViewPage>(`/v1/audit${query({ ...filter, cursor, limit: 50 })}`),
  verifyAudit: () => get<AuditVerifyView>('/v1/audit/verify'),

  policy: () => get<PolicyView>('/v1/policies'),
  policyVersions: () => pages<PolicyView>((cursor) => `/v1/policies/versions${query({ cursor })}`),
  /** YAML or JSON as a person wrote it; over `version`, unless somebody was quicker. */
  putPolicy: (text: string) => request<PolicyView>('/v1/policies', { ...policyBody(text), method: 'PUT' }),
  dryRun: (policy: Json, filter: { workflow?: string | undefined; cursor?: string | undefined }) => post<DryRunView>('/v1/policies/dry-run', { policy, limit: 50, ...filter }),

  retention: () => get<RetentionView>('/v1/retention'),
  setRetention: (body: RetentionViewInput) => put<RetentionView>('/v1/retention', body),
  secrets: () => pages<SecretView>((cursor) => `/v1/secrets${query({ cursor })}`),
  setSecret: (name: string, value: string) => put<SecretView>(`/v1/secrets/${id(name)}`, { value }),
  deleteSecret: (name: string) => remove(`/v1/secrets/${id(name)}`),
  singleSignOn: () => get<SingleSignOnView>('/v1/sso'),
  setSingleSignOn: (body: SetSingleSignOnRequest) => put<SingleSignOnView>('/v1/sso', body),
  removeSingleSignOn: () => remove('/v1/sso'),
};

function policyBody(text: string): Options {
  const { body, ...rest } = specBody(text);
  return body === undefined ? rest : { ...rest, body: { policy: (body as { spec: Json }).spec } };
}

/** Fetches with the session and hands the file to the browser: a plain link could not carry a key. */
export async function download(path: string, name: string): Promise<void> {
  const response = await send(path, { headers: { Accept: '*/*' } });
  save(await response.blob(), name);
}

export function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
