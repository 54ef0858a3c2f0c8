import { isMap, isSeq, parseDocument, type Document } from 'yaml';
import type { Json, JsonObject } from '~/api/types';
import { isObject } from './graph';

export type Path = (string | number)[];

/** The spec behind a text, YAML or JSON; undefined while it cannot be read. */
export function readSpecText(text: string): JsonObject | undefined {
  if (text.trim() === '') return {};
  try {
    const document = parseDocument(text);
    if (document.errors.length > 0) return undefined;
    const value = document.toJS() as Json;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The text with one place changed, and nothing else: comments, order and quoting of everything around it stay as somebody
 * wrote them. An undefined value takes the place away, and with it what would be left empty around it.
 */
export function editSpecText(text: string, path: Path, value: Json | undefined): string {
  const document = parseDocument(text);
  if (value === undefined) remove(document, path);
  else {
    ensure(document, path);
    document.setIn(path, document.createNode(value));
  }
  // A text that is JSON stays JSON.
  if (text.trimStart().startsWith('{')) return `${JSON.stringify(document.toJS(), null, 2)}\n`;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function remove(document: Document, path: Path): void {
  document.deleteIn(path);
  for (let depth = path.length - 1; depth > 2; depth--) {
    const around = document.getIn(path.slice(0, depth), true);
    if ((isMap(around) || isSeq(around)) && around.items.length === 0) document.deleteIn(path.slice(0, depth));
    else return;
  }
}

/** What lies on the way and is not there yet is made: a list before a number, else a map. */
function ensure(document: Document, path: Path): void {
  if (document.contents === null) document.contents = document.createNode({}) as never;
  for (let depth = 1; depth < path.length; depth++) {
    const place = path.slice(0, depth);
    if (document.getIn(place, true) === undefined || document.getIn(place) === null) document.setIn(place, document.createNode(typeof path[depth] === 'number' ? [] : {}));
  }
}

export interface StepForm {
  index: number;
  id: string;
  type: string;
  actor: string | undefined;
  needs: string[];
  checkpoint: boolean | string | undefined;
  guards: { phase: 'pre' | 'post'; index: number; check: string; code: string; message: string }[];
  timeout: string;
  attempts: string;
}

/** What the form shows of each step; what it does not know stays in the text. */
export function stepForms(spec: JsonObject): StepForm[] {
  const steps = Array.isArray(spec.steps) ? spec.steps : [];
  return steps.flatMap((step, index) => (isObject(step) ? [formOf(step, index)] : []));
}

function formOf(step: JsonObject, index: number): StepForm {
  const guards = isObject(step.guards) ? step.guards : {};
  const lines = (['pre', 'post'] as const).flatMap((phase) => {
    const list = guards[phase];
    return Array.isArray(list) ? list.map((guard, at) => ({ phase, index: at, check: text(guard, 'check'), code: text(guard, 'code'), message: text(guard, 'message') })) : [];
  });
  const actor = ['agent', 'tool', 'worker', 'workflow'].map((name) => step[name]).find((value) => typeof value === 'string') as string | undefined;
  return {
    index, id: typeof step.id === 'string' ? step.id : `step ${index + 1}`, type: typeof step.type === 'string' ? step.type : '', actor,
    needs: Array.isArray(step.needs) ? step.needs.filter((one) => typeof one === 'string') : [],
    checkpoint: typeof step.checkpoint === 'boolean' || typeof step.checkpoint === 'string' ? step.checkpoint : undefined,
    guards: lines, timeout: typeof step.timeout === 'string' ? step.timeout : '',
    attempts: isObject(step.retry) && typeof step.retry.max_attempts === 'number' ? String(step.retry.max_attempts) : '',
  };
}

function text(value: Json | undefined, name: string): string {
  return isObject(value) && typeof value[name] === 'string' ? value[name] : '';
}

/** A name and ids that no other step has, for a step that is added by form. */
export function freshStepId(spec: JsonObject): string {
  const taken = new Set(stepForms(spec).map(({ id }) => id));
  for (let number = taken.size + 1; ; number++) if (!taken.has(`step_${number}`)) return `step_${number}`;
}
