import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';

/** After an action: everything that lists or shows runs is read again; the answer is awaited so that buttons stay busy until it shows. */
export function useRefresh(): (execution?: string) => Promise<void> {
  const client = useQueryClient();
  return useCallback(async (execution?: string) => {
    const lists = ['health', 'recovery', 'executions', 'failures', 'reviews'];
    await client.invalidateQueries({
      predicate: ({ queryKey }) =>
        lists.includes(String(queryKey[0])) ||
        (execution !== undefined && queryKey[0] === 'execution' && queryKey[1] === execution && queryKey[2] !== 'state') ||
        (execution !== undefined && queryKey[0] === 'failure' && String(queryKey[1]).startsWith(`${execution}.`)),
    });
  }, [client]);
}
