import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, type MouseEvent } from 'react';
import { count } from '~/model/format';
import { folderOf, groups, renderDoc, searchDocs, type DocPage } from '~/model/docs';
import { ButtonLink } from '~/ui/Button';
import { useMedia } from '~/ui/media';
import { Page } from '~/ui/Page';
import { SearchField } from '~/ui/SearchField';
import { Empty } from '~/ui/states';
import { docs } from './all';

export function DocsPage() {
  const { _splat: path } = useParams({ strict: false });
  const { q } = useSearch({ from: '/guide/$' });
  const navigate = useNavigate();
  const wide = useMedia('(min-width: 1024px)');
  const wanted = path?.replace(/\/$/, '') || 'ARCHITECTURE';
  const page = docs.find((one) => one.path === wanted) ?? docs.find((one) => one.path === `${wanted}/README`);
  const find = (next: string | undefined) => void navigate({ to: '/guide/$', params: { _splat: wanted }, search: { q: next }, replace: true });
  return (
    <Page wide title={page?.title ?? 'Docs'} lead="The documents of this version, part of the console.">
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-x-12 gap-y-6 lg:grid-cols-[15rem_minmax(0,1fr)]">
        <div className="flex flex-col gap-5 *:flex-none lg:sticky lg:top-6 lg:max-h-[calc(100dvh-3rem)] lg:overflow-y-auto">
          <SearchField label="Search the docs" hint="Search the docs" value={q} onChange={find} testId="docs-search" />
          {wide ? <Contents current={page?.path} /> : <details><summary className="cursor-pointer py-1 font-semibold">All pages</summary><div className="pt-2 pl-3"><Contents current={page?.path} /></div></details>}
        </div>
        {q ? <Results query={q} /> : page ? <Article page={page} /> : <Empty title="There is no such page" action={<ButtonLink to="/guide/$" params={{ _splat: 'ARCHITECTURE' }} search={{}}>Begin at the beginning</ButtonLink>}>It may have been in another version.</Empty>}
      </div>
    </Page>
  );
}

function Contents({ current }: { current: string | undefined }) {
  return (
    <nav aria-label="Docs" className="flex flex-col gap-1">
      {groups.map(([folder, label]) => {
        const pages = docs.filter((one) => folderOf(one.path) === folder);
        return (
          <details key={folder} open={folder === (current === undefined ? '' : folderOf(current)) || folder === '' || undefined}>
            <summary className="cursor-pointer py-1 font-semibold">{label} <span className="font-normal text-ink-3">{pages.length}</span></summary>
            <ul className="flex flex-col pb-2">
              {pages.map((one) => <li key={one.path}><Link to="/guide/$" params={{ _splat: one.path }} search={{}} aria-current={one.path === current ? 'page' : undefined} className="block rounded-lg px-2 py-1 text-[0.93rem] text-ink-2 hover:bg-sunken aria-[current]:bg-sunken aria-[current]:font-semibold aria-[current]:text-ink">{one.title}</Link></li>)}
            </ul>
          </details>
        );
      })}
    </nav>
  );
}

function Results({ query }: { query: string }) {
  const found = searchDocs(docs, query);
  return (
    <section aria-label="Results" className="flex flex-col gap-3">
      <p role="status">{count(found.length, 'page')} with all of “{query}”</p>
      <ul className="card divide-y divide-line empty:hidden" data-testid="docs-results">
        {found.slice(0, 60).map(({ page, line }) => (
          <li key={page.path}><Link data-list-item to="/guide/$" params={{ _splat: page.path }} search={{}} className="block px-4 py-2.5 hover:bg-sunken focus-visible:-outline-offset-2"><span className="font-semibold">{page.title}</span> <span className="text-[0.87rem] text-ink-2">{page.path}</span><span className="block text-[0.9rem] text-ink-2">{line}</span></Link></li>
        ))}
      </ul>
    </section>
  );
}

function Article({ page }: { page: DocPage }) {
  const navigate = useNavigate();
  const article = useRef<HTMLElement>(null);
  const html = useMemo(() => renderDoc(page), [page]);
  useEffect(() => {
    const hash = decodeURIComponent(window.location.hash.slice(1));
    if (hash !== '') document.getElementById(hash)?.scrollIntoView();
  }, [page]);
  // Links between pages stay within the console; a new tab, and what leads elsewhere, are the browser's.
  const follow = (event: MouseEvent) => {
    const link = (event.target as HTMLElement).closest('a');
    const href = link?.getAttribute('href');
    if (!href?.startsWith('/guide/') || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const [target = '', hash] = href.slice('/guide/'.length).split('#');
    void navigate({ to: '/guide/$', params: { _splat: target }, search: {}, ...(hash ? { hash } : {}) });
  };
  return <article ref={article} data-testid="doc" className="doc min-w-0" onClick={follow} dangerouslySetInnerHTML={{ __html: html }} />;
}
