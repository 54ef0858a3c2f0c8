import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { olderStepsQuery } from '~/api/queries';
import type { ExecutionView, StepView } from '~/api/types';
import { visitId } from './chosen';

export interface AllSteps {
  steps: StepView[];
  /** How many visits are not at hand. */
  omitted: number;
  isLoading: boolean;
  load: () => void;
}

/** An execution answers with its newest 1,000 visits; the older ones are loaded once somebody asks for them, and kept. */
export function useAllSteps(view: ExecutionView | undefined, travelled: boolean): AllSteps {
  const [wanted, setWanted] = useState(false);
  const omitted = view?.steps_omitted ?? 0;
  const enabled = wanted && omitted > 0 && !travelled;
  const older = useInfiniteQuery({ ...olderStepsQuery(view?.id ?? ''), enabled });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = older;
  useEffect(() => {
    if (enabled && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [enabled, hasNextPage, isFetchingNextPage, fetchNextPage]);
  const loaded = older.data?.pages;
  const newest = view?.steps;
  const steps = useMemo(() => merged(loaded?.flatMap((page) => page.items) ?? [], newest ?? []), [loaded, newest]);
  return { steps, omitted: view ? Math.max(0, omitted + view.steps.length - steps.length) : 0, isLoading: enabled && (older.isPending || hasNextPage), load: () => setWanted(true) };
}

/** In the order they were scheduled; what the view holds is newer than what a page held. */
function merged(older: StepView[], newest: StepView[]): StepView[] {
  if (older.length === 0) return newest;
  const held = new Set(newest.map(visitId));
  return [...older.filter((step) => !held.has(visitId(step))), ...newest];
}
