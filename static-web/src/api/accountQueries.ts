import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { account, type AuditFilter } from './account';

export const keysQuery = queryOptions({ queryKey: ['keys'], queryFn: account.keys });
export const sessionQuery = queryOptions({ queryKey: ['session'], queryFn: account.session, staleTime: 60_000 });
export const membersQuery = queryOptions({ queryKey: ['members'], queryFn: account.members });
export const invitationsQuery = queryOptions({ queryKey: ['invitations'], queryFn: account.invitations });
export const billingQuery = queryOptions({ queryKey: ['billing'], queryFn: account.billing });
export const transactionsQuery = (kind?: string) =>
  infiniteQueryOptions({
    queryKey: ['billing', 'transactions', kind ?? ''],
    queryFn: ({ pageParam }) => account.transactions(kind, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });
export const auditQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ['audit', filter],
    queryFn: ({ pageParam }) => account.audit(filter, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });
export const policyQuery = queryOptions({ queryKey: ['policy'], queryFn: account.policy });
export const policyVersionsQuery = queryOptions({ queryKey: ['policy', 'versions'], queryFn: account.policyVersions });
export const retentionQuery = queryOptions({ queryKey: ['retention'], queryFn: account.retention });
export const secretsQuery = queryOptions({ queryKey: ['secrets'], queryFn: account.secrets });
export const singleSignOnQuery = queryOptions({ queryKey: ['sso'], queryFn: account.singleSignOn });
