import type { HealthSummary } from '~/api/types';

export interface Destination {
  to: '/' | '/executions' | '/failures' | '/reviews' | '/workflows' | '/keys';
  label: string;
  /** After `g`. */
  letter: string;
  count?: (health: HealthSummary) => number;
}

export const destinations: Destination[] = [
  { to: '/', label: 'Overview', letter: 'o' },
  { to: '/executions', label: 'Executions', letter: 'e' },
  { to: '/failures', label: 'Failures', letter: 'f', count: (health) => health.open_failures },
  { to: '/reviews', label: 'Reviews', letter: 'r', count: (health) => health.open_reviews },
  { to: '/workflows', label: 'Workflows', letter: 'w' },
  { to: '/keys', label: 'API keys', letter: 'k' },
];
