import { useQuery } from '@tanstack/react-query';
import { meQuery } from './queries';
import { mayNot, type Scope } from '~/model/access';

/** Undefined when whoever is signed in may; else why not, in a sentence. The server decides in any case: this only says so beforehand. */
export function useWhyNot(scope: Scope): string | undefined {
  const me = useQuery(meQuery);
  return me.data ? mayNot(scope, me.data) : undefined;
}
