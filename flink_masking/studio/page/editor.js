// The policy's editor: line numbers, completion, and errors at their lines.
import {
  Decoration, EditorState, EditorView, HighlightStyle, StateEffect, StateField, WidgetType, acceptCompletion, autocompletion, bracketMatching,
  closeBrackets, closeBracketsKeymap, completionKeymap, defaultKeymap, drawSelection, foldGutter, foldKeymap, highlightActiveLine,
  highlightActiveLineGutter, highlightSelectionMatches, highlightSpecialChars, history, historyKeymap, indentOnInput, indentUnit, keymap,
  lineNumbers, lintGutter, lintKeymap, placeholder, search, searchKeymap, setDiagnostics, snippet, startCompletion, syntaxHighlighting, tags,
  yaml} from "./codemirror.js"
import {h} from "./dom.js"
import {post} from "./ask.js"

const SIGNS = {key: "property", value: "enum", field: "variable", rule: "function"}
const colours = HighlightStyle.define([
  {tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--code-key)"},
  {tag: [tags.string, tags.special(tags.string)], color: "var(--code-text)"},
  {tag: [tags.content, tags.attributeValue], color: "var(--code-value)"},
  {tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)"},
  {tag: [tags.lineComment, tags.comment], color: "var(--code-comment)", fontStyle: "italic"},
  {tag: [tags.punctuation, tags.separator, tags.brace, tags.squareBracket], color: "var(--soft)"},
])

/** What is wrong with a line, behind it. */
class Said extends WidgetType {
  constructor(text, severity) { super(); this.text = text; this.severity = severity }
  eq(other) { return other.text === this.text && other.severity === this.severity }
  toDOM() { return h(`span.said.${this.severity}`, {"aria-hidden": "true"}, this.text) }
}

const say = StateEffect.define()
const said = StateField.define({
  create: () => Decoration.none,
  update: (marks, change) => change.effects.reduce((found, one) => one.is(say) ? one.value : found, marks.map(change.changes)),
  provide: field => EditorView.decorations.from(field),
})

async function complete(context) {
  const line = context.state.doc.lineAt(context.pos)
  const before = line.text.slice(0, context.pos - line.from)
  if (!context.explicit && !/[\w"*.]$|[:{[,-] $|^\s*$/.test(before)) return null
  const found = await post("complete", {text: context.state.doc.toString(), line: line.number, column: context.pos - line.from})
  if (context.aborted || !found.options.length) return null
  const options = found.options.map((one, at) => ({
    label: one.label, type: SIGNS[one.kind], detail: one.required ? `${one.detail} (needed)` : one.detail, info: one.info || undefined,
    boost: (one.required ? 50 : 0) - at / 100,
    apply: (view, option, from, to) => {
      snippet(one.apply)(view, option, from, to)
      if (one.apply.includes("${}")) startCompletion(view)
    },
  }))
  return {from: context.pos - found.length, options, validFor: /^[\w."*[\]{]*$/}
}

/** Make the editor; `changed` is called with the text and whether a person has typed it. */
export function makeEditor(parent, {changed, save}) {
  const nonce = document.querySelector("meta[name=nonce]").content
  const view = new EditorView({parent, state: EditorState.create({doc: "", extensions: [
    EditorView.cspNonce.of(nonce), lineNumbers(), foldGutter(), lintGutter(), highlightActiveLineGutter(), highlightActiveLine(),
    highlightSpecialChars(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(), search({top: true}),
    highlightSelectionMatches(), yaml(), indentUnit.of("  "), syntaxHighlighting(colours), said,
    autocompletion({override: [complete], icons: false, maxRenderedOptions: 60}),
    placeholder("version: 1"),
    EditorView.contentAttributes.of({"aria-label": "Policy (YAML)"}),
    keymap.of([{key: "Mod-s", run: () => (save(), true), preventDefault: true}, {key: "Tab", run: acceptCompletion}, ...closeBracketsKeymap,
      ...completionKeymap, ...lintKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...defaultKeymap]),
    EditorView.updateListener.of(update => {
      if (!update.docChanged) return
      const typed = update.transactions.some(one => one.isUserEvent("input") || one.isUserEvent("delete") || one.isUserEvent("undo")
        || one.isUserEvent("redo") || one.isUserEvent("move"))
      changed(update.state.doc.toString(), typed)
    }),
  ]})})
  return {
    view,
    text: () => view.state.doc.toString(),
    focus: () => view.focus(),
    /** Replace the text by the smallest change, so that the place on the screen stays. */
    replace(text) {
      const old = view.state.doc.toString()
      let start = 0, end = 0
      const most = Math.min(old.length, text.length)
      while (start < most && old[start] === text[start]) start++
      while (end < most - start && old[old.length - 1 - end] === text[text.length - 1 - end]) end++
      if (old !== text) view.dispatch({changes: {from: start, to: old.length - end, insert: text.slice(start, text.length - end)}})
    },
    /** Show faults at their lines. */
    faults(found) {
      const diagnostics = found.map(fault => ({...placed(view.state.doc, fault), severity: fault.severity, message: fault.message,
        renderMessage: () => h("span", {}, fault.message, fault.hint ? h("span.hint", {}, fault.hint) : null)}))
      const first = new Map()
      diagnostics.forEach((one, at) => {
        const line = view.state.doc.lineAt(one.from).number
        if (!first.has(line) || (one.severity === "error" && found[first.get(line)].severity !== "error")) first.set(line, at)
      })
      const marks = [...first].sort((a, b) => a[0] - b[0]).map(([line, at]) => Decoration.widget({
        widget: new Said(found[at].message, found[at].severity), side: 1}).range(view.state.doc.line(line).to))
      view.dispatch(setDiagnostics(view.state, diagnostics))
      view.dispatch({effects: say.of(Decoration.set(marks))})
    },
    go(fault) {
      const {from, to} = placed(view.state.doc, fault)
      view.dispatch({selection: {anchor: from, head: to}, effects: EditorView.scrollIntoView(from, {y: "center"})})
      view.focus()
    },
  }
}

/** The word at a fault's place. */
function placed(doc, fault) {
  const line = doc.line(Math.min(Math.max(1, fault.line), doc.lines))
  const from = Math.min(line.from + fault.column - 1, line.to)
  const word = /^("[^"]*"?|'[^']*'?|[^\s,{}[\]:]+|.)/.exec(line.text.slice(from - line.from))
  return {from, to: Math.max(from, from + (word ? word[0].length : 0))}
}
