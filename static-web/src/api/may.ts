import { useQuery } from '@tanstack/react-query';
import { meQuery } from './queries';
import { mayNot, type Scope } from '~/model/access';

/** Undefined when whoever is signed in may; else why not, in a sentence, for the first of several scopes that is lacking. The server decides in any case: this only says so beforehand. */
export function useWhyNot(scope: Scope | Scope[]): string | undefined {
  const me = useQuery(meQuery);
  if (!me.data) return undefined;
  for (const one of Array.isArray(scope) ? scope : [scope]) {
    const reason = mayNot(one, me.data);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
