import type { StepView } from '~/api/types';

/** How a visit stands in an address: `terms.2`; step ids hold no dot. */
export const visitId = (step: { step: string; visit: number }) => `${step.step}.${step.visit}`;

/** The visit that an address names; without a number the newest of the step. */
export function findVisit(steps: StepView[], chosen: string | undefined): StepView | undefined {
  if (chosen === undefined) return undefined;
  const [, step = chosen, visit] = /^(.*)\.(\d+)$/.exec(chosen) ?? [];
  return steps.findLast((one) => one.step === step && (visit === undefined || one.visit === Number(visit)));
}
