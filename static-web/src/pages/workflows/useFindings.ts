import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { api } from '~/api/client';
import type { SpecProblem } from '~/api/types';
import { lineOf, locate } from '~/model/pointer';

export interface Findings {
  problems: SpecProblem[];
  lines: number[];
  offsets: number[];
  marks: { from: number; to: number; severity: SpecProblem['severity']; message: string }[];
  /** The text they are about is the one that is shown. */
  current: boolean;
  checking: boolean;
  error: unknown;
  hasErrors: boolean;
}

/** The server's static checks of a text, a moment after the last key; while one types on, those of before stay in sight. */
export function useFindings(text: string): Findings {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), 400);
    return () => clearTimeout(timer);
  }, [text]);
  const check = useQuery({
    queryKey: ['validate', settled],
    queryFn: async () => ({ text: settled, problems: (await api.validateWorkflow(settled)).problems }),
    enabled: settled.trim() !== '',
    placeholderData: (before) => before,
    staleTime: Infinity,
    gcTime: 60_000,
  });
  const found = text.trim() === '' ? undefined : check.data;
  const places = useMemo(() => (found ? locate(found.text, found.problems.map(({ pointer }) => pointer)) : []), [found]);
  const current = found?.text === text;
  const marks = useMemo(() => (current && found ? found.problems.map((problem, index) => ({ ...places[index]!, severity: problem.severity, message: `${problem.message} ${problem.mend}` })) : []), [current, found, places]);
  return {
    problems: found?.problems ?? [], lines: places.map((place) => lineOf(found!.text, place.from)), offsets: places.map(({ from }) => from), marks, current,
    checking: check.isFetching || settled !== text, error: check.error, hasErrors: found?.problems.some(({ severity }) => severity === 'error') ?? false,
  };
}
