import { useEffect, useState } from 'react';
import { ago, clock, date } from '~/model/format';

/** Now, moving on every `everyMs` while the component is shown. Only drawing depends on it. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export function Ago({ at }: { at: string }) {
  const now = useNow(30_000);
  return <time dateTime={at} title={`${date(at)}, ${clock(at)}`} className="whitespace-nowrap">{ago(at, now)}</time>;
}
