import type { DiffView, Json } from '~/api/types';
import { isObject } from '~/model/graph';

/** Every place that differs between two values; steps are named, as the server names them. */
export function changesBetween(before: Json | undefined, after: Json | undefined, pointer = ''): DiffView['changes'] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const [left, right] = [named(before), named(after)];
  if (!isObject(left) || !isObject(right)) {
    const kind = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    return [{ pointer, kind, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
  }
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((name) => changesBetween(left[name], right[name], `${pointer}/${name.replaceAll('/', '~1')}`));
}

function named(value: Json | undefined): Json | undefined {
  if (!Array.isArray(value) || !value.every((one) => isObject(one) && 'step' in one && 'visit' in one)) return value;
  return Object.fromEntries(value.map((one) => [`${String((one as { step: string }).step)}/${String((one as { visit: number }).visit)}`, one]));
}
