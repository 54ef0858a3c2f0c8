import { HighlightStyle } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

/** The console's own tokens, so that light and dark need no second theme. Prose (a prompt) is set larger than code. */
export function editorTheme(code: boolean) {
  return EditorView.theme({
    '&': { backgroundColor: 'var(--surface)', color: 'var(--ink)', fontSize: code ? '0.84rem' : '0.92rem', borderRadius: '9px', border: '1px solid var(--edge)' },
    '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '2px' },
    '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '1.6', maxHeight: code ? '60vh' : '26rem', overflow: 'auto' },
    '.cm-content': { padding: '10px 4px', minHeight: code ? '14rem' : '7rem', caretColor: 'var(--ink)', fontVariantLigatures: 'none' },
    '.cm-line': { padding: '0 8px' },
    '.cm-cursor': { borderLeftColor: 'var(--ink)', borderLeftWidth: '2px' },
    '.cm-placeholder': { color: 'var(--ink-3)' },
    '.cm-gutters': { backgroundColor: 'var(--sunken)', color: 'var(--ink-3)', border: 'none', borderRadius: '9px 0 0 9px' },
    '.cm-changedLine, &.cm-merge-b .cm-changedLine, .cm-inlineChangedLine': { backgroundColor: 'var(--good-wash) !important' },
    '.cm-changedText, &.cm-merge-b .cm-changedText': { background: 'color-mix(in oklab, var(--good) 22%, transparent) !important' },
    '.cm-deletedChunk': { backgroundColor: 'var(--bad-wash) !important', paddingLeft: '8px' },
    '.cm-deletedChunk .cm-deletedText, .cm-deletedLine del': { background: 'color-mix(in oklab, var(--bad) 20%, transparent) !important', textDecoration: 'none' },
    // An added line break alone takes nothing away: no empty red line for it.
    '.cm-deletedChunk:not(:has(.cm-deletedText))': { display: 'none' },
    '.cm-changedLineGutter': { background: 'var(--good) !important' },
    '.cm-deletedLineGutter': { background: 'var(--bad) !important' },
    '.cm-tooltip': { backgroundColor: 'var(--surface)', border: '1px solid var(--line)', borderRadius: '8px', padding: '4px' },
    '.cm-diagnostic': { fontFamily: 'var(--font-sans)', padding: '6px 10px' },
  });
}

export const highlighting = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--ink)', fontWeight: '600' },
  { tag: [tags.string, tags.content], color: 'var(--ink-2)' },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword, tags.atom], color: 'var(--running)' },
  { tag: [tags.comment, tags.punctuation, tags.separator], color: 'var(--ink-3)' },
]);
