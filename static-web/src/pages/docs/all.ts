import { pagesOf } from '~/model/docs';

/** Every page of docs/, as it was when the console was built; one file, fetched when the docs are opened. */
export const docs = pagesOf(import.meta.glob<string>('../../../../docs/**/*.md', { query: '?raw', import: 'default', eager: true }));
