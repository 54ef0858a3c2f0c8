import { marked, type Tokens } from 'marked';

export interface DocPage {
  /** From docs/, without its ending: `reference/billing`. */
  path: string;
  title: string;
  text: string;
}

export const groups: [string, string][] = [['', 'Ideas'], ['reference', 'Reference'], ['azure', 'Azure'], ['decisions', 'Decisions'], ['errors', 'Errors']];

/** The pages of a glob over docs/, in the order one reads them. */
export function pagesOf(files: Record<string, string>): DocPage[] {
  return Object.entries(files).map(([file, text]) => {
    const path = file.replace(/^.*?\/docs\//, '').replace(/\.md$/, '');
    return { path, text, title: /^# +(.+)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? path };
  }).sort((left, right) => groupOf(left.path) - groupOf(right.path) || left.path.localeCompare(right.path, 'en'));
}

export const folderOf = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '');
const groupOf = (path: string) => groups.findIndex(([folder]) => folder === folderOf(path));

export interface Found {
  page: DocPage;
  /** The line it was found in. */
  line: string;
}

/** Pages that hold all of the words; those with a word in the title first. */
export function searchDocs(pages: DocPage[], query: string): Found[] {
  const words = query.toLowerCase().split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) return [];
  return pages
    .map((page) => ({ page, text: page.text.toLowerCase(), title: `${page.title} ${page.path}`.toLowerCase() }))
    .filter(({ text, title }) => words.every((word) => text.includes(word) || title.includes(word)))
    .sort((left, right) => Number(words.every((word) => right.title.includes(word))) - Number(words.every((word) => left.title.includes(word))))
    .map(({ page }) => ({ page, line: page.text.split('\n').find((line) => line.toLowerCase().includes(words[0]!))?.replace(/^[#>|\s-]+/, '').slice(0, 160) ?? '' }));
}

/** Where a link of a page leads: another page of the console's, or as it stands. */
export function resolveLink(from: string, href: string): string {
  if (/^[a-z]+:|^\/|^#/i.test(href)) return href;
  const [target = '', hash] = href.split('#');
  const parts = [...from.split('/').slice(0, -1), ...target.split('/')];
  const path: string[] = [];
  for (const part of parts) {
    if (part === '..') path.pop();
    else if (part !== '.' && part !== '') path.push(part);
  }
  return `/guide/${path.join('/').replace(/\.md$/, '')}${hash ? `#${hash}` : ''}`;
}

export const anchorOf = (text: string) => text.toLowerCase().replace(/<[^>]*>|[^\p{L}\p{N}\s_-]/gu, '').trim().replace(/\s/g, '-');

/** A page as HTML. The pages are the project's own and part of the build: what is in them is ours. */
export function renderDoc(page: DocPage): string {
  const renderer = new marked.Renderer();
  renderer.heading = function heading({ tokens, depth, text }: Tokens.Heading) {
    return `<h${depth} id="${anchorOf(text)}">${this.parser.parseInline(tokens)}</h${depth}>`;
  };
  renderer.link = function link({ href, tokens }: Tokens.Link) {
    return `<a href="${resolveLink(page.path, href).replaceAll('"', '&quot;')}">${this.parser.parseInline(tokens)}</a>`;
  };
  const table = renderer.table;
  renderer.table = function scrolling(token: Tokens.Table) {
    return `<div class="doc-table" tabindex="0" role="region" aria-label="Table">${table.call(this, token)}</div>`;
  };
  const code = renderer.code;
  renderer.code = function focusable(token: Tokens.Code) {
    return code.call(this, token).replace('<pre>', '<pre tabindex="0">');
  };
  return marked.parse(page.text, { renderer, async: false, gfm: true });
}
