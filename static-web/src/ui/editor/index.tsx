import { lazy, Suspense } from 'react';
import { Loading } from '../states';
import type { EditorProps } from './CodeEditor';

const CodeEditor = lazy(() => import('./CodeEditor'));

export function Editor(props: EditorProps) {
  return <Suspense fallback={<Loading lines={3} label="Loading the editor" />}><CodeEditor {...props} /></Suspense>;
}
