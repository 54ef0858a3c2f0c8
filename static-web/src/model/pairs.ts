import type { StepView } from '~/api/types';
import { groupSteps } from './trace';

/** The newest visits of two runs, by step; what only the right one has comes last. */
export function pairs(left: StepView[], right: StepView[]): [string, StepView | undefined, StepView | undefined][] {
  const of = (steps: StepView[]) => new Map(groupSteps(steps).map((group) => [group.step, group.latest]));
  const [one, other] = [of(left), of(right)];
  return [...new Set([...one.keys(), ...other.keys()])].map((step) => [step, one.get(step), other.get(step)]);
}
