import { stringify } from 'yaml';
import type { JsonObject } from '~/api/types';

/** A saved spec as text to write in; the version is the server's to give. */
export function specYaml(spec: JsonObject): string {
  const { version: _, ...rest } = spec;
  return stringify(rest, { lineWidth: 0 });
}
