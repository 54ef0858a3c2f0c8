import { lazy, Suspense, type ComponentProps } from 'react';
import { Loading } from '../states';

const FlowGraph = lazy(() => import('./FlowGraph'));

export function Graph(props: ComponentProps<typeof FlowGraph>) {
  return <Suspense fallback={<Loading label="Loading the graph" />}><FlowGraph {...props} /></Suspense>;
}
