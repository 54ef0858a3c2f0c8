import type { HealthSummary } from '~/api/types';

export interface Destination {
  to: '/' | '/executions' | '/failures' | '/reviews' | '/residue' | '/workflows' | '/analytics' | '/guide/$' | '/keys' | '/billing' | '/audit' | '/settings';
  label: string;
  /** After `g`. */
  letter: string;
  group: 'work' | 'account';
  /** In the bar at the foot of a narrow screen: where one goes in a hurry. */
  bar?: true;
  count?: (health: HealthSummary) => number;
}

export const destinations: Destination[] = [
  { to: '/', label: 'Overview', letter: 'o', group: 'work', bar: true },
  { to: '/executions', label: 'Executions', letter: 'e', group: 'work', bar: true },
  { to: '/failures', label: 'Failures', letter: 'f', group: 'work', bar: true, count: (health) => health.open_failures },
  { to: '/reviews', label: 'Reviews', letter: 'r', group: 'work', bar: true, count: (health) => health.open_reviews },
  { to: '/residue', label: 'Left behind', letter: 'l', group: 'work' },
  { to: '/workflows', label: 'Workflows', letter: 'w', group: 'work', bar: true },
  { to: '/analytics', label: 'Analytics', letter: 'a', group: 'work' },
  { to: '/keys', label: 'API keys', letter: 'k', group: 'account' },
  { to: '/billing', label: 'Billing', letter: 'b', group: 'account' },
  { to: '/audit', label: 'Audit', letter: 'u', group: 'account' },
  { to: '/settings', label: 'Settings', letter: 's', group: 'account' },
  { to: '/guide/$', label: 'Docs', letter: 'd', group: 'account' },
];
