import { parse } from 'yaml';
import type { JsonObject, SpecProblem } from '~/api/types';
import { isObject } from '~/model/graph';

export function readSpec(text: string): JsonObject {
  return parse(text) as JsonObject;
}

/** A few of the real server's static checks: enough to see how findings are shown. */
export function checkSpec(text: string): SpecProblem[] {
  let spec: unknown;
  try {
    spec = parse(text);
  } catch (error) {
    return [finding('SPEC_UNREADABLE', '', `This is neither YAML nor JSON: ${String(error).split('\n')[0]}`, 'Correct the line and paste it again.')];
  }
  if (!isObject(spec as JsonObject)) return [finding('SPEC_UNREADABLE', '', 'A workflow is an object with omium, name and steps.', 'Begin with the example.')];
  return problemsOf(spec as JsonObject);
}

function problemsOf(spec: JsonObject): SpecProblem[] {
  const found: SpecProblem[] = [];
  if (spec.omium !== 'v0') found.push(finding('SPEC_VERSION', '/omium', 'The version of the format is missing or unknown.', 'Write “omium: v0”.'));
  if (typeof spec.name !== 'string' || !/^[a-z0-9-]+$/.test(spec.name)) found.push(finding('NAME_INVALID', '/name', 'A name is made of a-z, 0-9 and hyphens.', 'Write it in small letters with hyphens for spaces.'));
  const steps = Array.isArray(spec.steps) ? spec.steps.filter(isObject) : [];
  if (steps.length === 0) found.push(finding('NO_STEPS', '/steps', 'There is no step.', 'Add at least one under “steps”.'));
  const agents = isObject(spec.agents) ? Object.keys(spec.agents) : [];
  const ids = steps.map((step) => step.id);
  steps.forEach((step, index) => {
    if (typeof step.agent === 'string' && !agents.includes(step.agent)) found.push(finding('UNKNOWN_AGENT', `/steps/${index}/agent`, `There is no agent ${step.agent}.`, agents.length > 0 ? `Use one of ${agents.join(', ')}, or add it under “agents”.` : 'Add it under “agents”.'));
    (Array.isArray(step.needs) ? step.needs : []).forEach((need, at) => {
      if (!ids.includes(need)) found.push(finding('UNKNOWN_STEP', `/steps/${index}/needs/${at}`, `There is no step ${String(need)}.`, `Use one of ${ids.join(', ')}.`));
    });
    if (!isObject(step.guards)) found.push({ ...finding('NO_GUARD', `/steps/${index}`, `${String(step.id)} has no check of its answer.`, 'Add a guard, so that a wrong answer stops here.'), severity: 'warning' });
  });
  return found;
}

function finding(code: string, pointer: string, message: string, mend: string): SpecProblem {
  return { code, severity: 'error', pointer, message, mend };
}
