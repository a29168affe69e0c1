// What flink_masking/studio/page uses of CodeMirror 6; `make studio-editor` bundles it.
export { EditorState, StateEffect, StateField } from "@codemirror/state"
export { Decoration, EditorView, WidgetType, drawSelection, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap,
  lineNumbers, placeholder } from "@codemirror/view"
export { defaultKeymap, history, historyKeymap } from "@codemirror/commands"
export { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, completionStatus, currentCompletions, snippet,
  startCompletion } from "@codemirror/autocomplete"
export { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint"
export { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search"
export { HighlightStyle, bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language"
export { yaml } from "@codemirror/lang-yaml"
export { tags } from "@lezer/highlight"
