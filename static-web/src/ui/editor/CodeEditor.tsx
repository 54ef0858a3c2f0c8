import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { yaml } from '@codemirror/lang-yaml';
import { syntaxHighlighting } from '@codemirror/language';
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { unifiedMergeView } from '@codemirror/merge';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import { EditorView, keymap, lineNumbers, placeholder } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { comparable } from '~/model/compare';
import { editorTheme, highlighting } from './theme';

export interface EditorProps {
  value: string;
  onChange?: (value: string) => void;
  label: string;
  language?: 'text' | 'json' | 'yaml';
  /** When given, what differs from it is shown in place. */
  original?: string;
  readOnly?: boolean;
  hint?: string;
  testId?: string;
  marks?: Diagnostic[];
  /** A place to go to; a new object goes there again. */
  goTo?: { offset: number };
}

/** A text editor that shows, while one writes, what differs from the original. Loaded only where a text is edited. */
export default function CodeEditor(props: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const compare = useRef(new Compartment());
  const writable = useRef(new Compartment());
  const changed = useRef(props.onChange);
  changed.current = props.onChange;

  useEffect(() => {
    const editor = new EditorView({
      parent: host.current!,
      state: EditorState.create({
        doc: props.value,
        extensions: [
          ...base(props),
          compare.current.of(comparison(props.original)),
          writable.current.of(editable(props.readOnly)),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed.current?.(update.state.doc.toString());
          }),
        ],
      }),
    });
    if (props.language) {
      // A long text scrolls within itself: a keyboard must reach that, too.
      editor.scrollDOM.tabIndex = 0;
      editor.scrollDOM.setAttribute('role', 'region');
      editor.scrollDOM.setAttribute('aria-label', `${props.label}, scrolling`);
    }
    view.current = editor;
    return () => editor.destroy();
    // One editor for the component's life; what changes later is applied below.
  }, []);

  useEffect(() => {
    const editor = view.current!;
    const held = editor.state.doc.toString();
    if (held !== props.value) editor.dispatch({ changes: { from: 0, to: held.length, insert: props.value } });
  }, [props.value]);
  const against = props.original === undefined ? undefined : comparable(props.original, props.value);
  useEffect(() => view.current!.dispatch({ effects: compare.current.reconfigure(comparison(against)) }), [against]);
  useEffect(() => view.current!.dispatch({ effects: writable.current.reconfigure(editable(props.readOnly)) }), [props.readOnly]);
  useEffect(() => {
    const editor = view.current!;
    const inside = (props.marks ?? []).filter((mark) => mark.to <= editor.state.doc.length);
    editor.dispatch(setDiagnostics(editor.state, inside));
  }, [props.marks]);
  useEffect(() => {
    const editor = view.current!;
    if (!props.goTo || props.goTo.offset > editor.state.doc.length) return;
    editor.dispatch({ selection: { anchor: props.goTo.offset }, effects: EditorView.scrollIntoView(props.goTo.offset, { y: 'center' }) });
    editor.focus();
  }, [props.goTo]);

  return <div ref={host} />;
}

function base(props: EditorProps): Extension[] {
  const code = props.language === 'json' || props.language === 'yaml';
  const attributes: Record<string, string> = { 'aria-label': props.label };
  if (props.testId) attributes['data-testid'] = props.testId;
  return [
    history(),
    // Tab leaves the editor, as it leaves every other field.
    keymap.of([...defaultKeymap, ...historyKeymap]),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of(attributes),
    editorTheme(code),
    ...(code ? [lineNumbers(), lintGutter(), syntaxHighlighting(highlighting)] : []),
    ...(props.language === 'json' ? [json()] : props.language === 'yaml' ? [yaml()] : []),
    ...(props.hint ? [placeholder(props.hint)] : []),
  ];
}

const editable = (readOnly: boolean | undefined): Extension =>
  // Focusable although nothing can be typed, so that a keyboard can scroll it.
  readOnly ? [EditorState.readOnly.of(true), EditorView.contentAttributes.of({ 'aria-readonly': 'true', tabindex: '0' })] : [];

const comparison = (original: string | undefined): Extension =>
  original === undefined ? [] : unifiedMergeView({ original, mergeControls: false, gutter: true });
