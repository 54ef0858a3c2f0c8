import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { followExecution, type StreamState } from './stream';

/**
 * Keeps everything the console holds about one execution in step with its record stream. Records that arrive while a
 * refetch is under way share the next one, so a burst of n records costs at most two rounds.
 */
export function useLiveExecution(execution: string | undefined, seq: number | undefined, active: boolean): StreamState | 'idle' {
  const client = useQueryClient();
  const [state, setState] = useState<StreamState | 'idle'>('idle');
  const ready = execution !== undefined && seq !== undefined && active;

  useEffect(() => {
    if (!ready) {
      setState('idle');
      return;
    }
    const abort = new AbortController();
    let refreshing = false;
    let again = false;
    const refresh = async () => {
      if (refreshing) {
        again = true;
        return;
      }
      refreshing = true;
      do {
        again = false;
        await Promise.all([
          // A state at n never changes, so the states already held stay.
          client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === 'execution' && queryKey[1] === execution && queryKey[2] !== 'state' }),
          client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === 'failure' && String(queryKey[1]).startsWith(`${execution}.`) }),
          client.invalidateQueries({ queryKey: ['health'] }),
          client.invalidateQueries({ queryKey: ['recovery'] }),
        ]);
      } while (again && !abort.signal.aborted);
      refreshing = false;
    };
    void followExecution({ execution, after: seq, signal: abort.signal, onState: setState, onRecord: () => void refresh() });
    return () => abort.abort();
    // `seq` only says where to begin; a later value must not restart the stream.
  }, [client, execution, ready]);

  return state;
}
