import { isCollection, isMap, isPair, isScalar, parseDocument, type Node } from 'yaml';

/** `/steps/2/guards` -> `['steps', '2', 'guards']` (RFC 6901). */
export function pointerParts(pointer: string): string[] {
  if (pointer === '' || pointer === '/') return [];
  return pointer.replace(/^#/, '').split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export interface TextRange {
  from: number;
  to: number;
}

/**
 * Where in the text (YAML, or JSON, which is YAML) a pointer points. What is missing there is shown at the nearest
 * thing around it; a text that cannot be read gives its first line.
 */
export function locate(text: string, pointers: string[]): TextRange[] {
  const document = parseDocument(text, { keepSourceTokens: false });
  return pointers.map((pointer) => rangeOf(document.contents, pointerParts(pointer)) ?? firstLine(text));
}

function rangeOf(root: Node | null, parts: string[]): TextRange | undefined {
  let node: unknown = root;
  let found: TextRange | undefined = undefined;
  for (const part of parts) {
    if (!isCollection(node)) break;
    const item: unknown = isMap(node)
      ? node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === part)
      : node.items[Number(part)];
    if (item === undefined) break;
    if (isPair(item)) {
      found = nodeRange(item.key) ?? found;
      node = item.value;
      // A key with a short value is marked together with it.
      const value = nodeRange(node);
      if (found && value && isScalar(node)) found = { from: found.from, to: value.to };
    } else {
      node = item;
      found = nodeRange(item) ?? found;
    }
  }
  return found;
}

function nodeRange(node: unknown): TextRange | undefined {
  const range = (node as Node | null | undefined)?.range;
  return range ? { from: range[0], to: range[1] } : undefined;
}

function firstLine(text: string): TextRange {
  const end = text.indexOf('\n');
  return { from: 0, to: end < 0 ? text.length : end };
}

export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let index = 0; index < Math.min(offset, text.length); index++) if (text[index] === '\n') line++;
  return line;
}
