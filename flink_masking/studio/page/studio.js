// The page: an edit goes to the server, its answer to the panels.
import {arrows, byId, counted, explained, h, number, printable} from "./dom.js"
import {answer, get, post} from "./ask.js"
import {makeEditor} from "./editor.js"
import {showCoverage, showError, showGroups, showJoins} from "./figures.js"
import {makeProposals} from "./proposals.js"
import {showView} from "./records.js"

const PATIENCE = 80  // milliseconds without a key before an edit is sent
const state = {digest: "", saved: "", segment: null, start: 0, refused: false, raw: false, saving: false, part: null, coverage: null, faults: [], timer: 0, isNew: false}
const editor = makeEditor(byId("editor"), {changed, save})
let proposals = null

function changed(text, typed) {
  dirty()
  if (typed) proposals?.edited()
  clearTimeout(state.timer)
  state.timer = setTimeout(ask, typed ? PATIENCE : 0)
}

function dirty() {
  const different = editor.text() !== state.saved || state.isNew
  byId("dirty").hidden = !different
  byId("save").disabled = !different
  document.title = `${different ? "● " : ""}${byId("file").textContent} – Studio`
}

const shown = () => ({text: editor.text(), segment: state.segment, start: state.start, raw: state.raw, refused: state.refused})

async function ask() {
  const begin = performance.now()
  document.body.dataset.asking = ""
  let ms = 0
  try {
    const whole = await answer(shown(), part => { heard(part); ms += part.ms })
    if (!whole) return
    byId("status").textContent = status(performance.now() - begin)
  } catch (error) {
    if (error.name === "AbortError") return
    notice("The server does not answer. Is flink-masking studio still running?")
  }
  delete document.body.dataset.asking
  document.body.dataset.answered = String(Number(document.body.dataset.answered ?? 0) + 1)
}

function status(ms) {
  const errors = state.faults.filter(one => one.severity === "error").length, warnings = state.faults.length - errors
  const found = [errors ? counted(errors, "error") : "", warnings ? counted(warnings, "warning") : ""].filter(Boolean).join(", ") || "no faults"
  return `${found} · answered in ${number(Math.round(ms))} ms`
}

function heard(part) {
  if (part.part === "policy") {
    state.faults = part.faults
    editor.faults(part.faults)
    problems(part.faults)
    byId("results").classList.toggle("stale", !part.usable)
    byId("figures").classList.toggle("stale", !part.usable)
    byId("save").textContent = part.usable ? "Save" : `Save with ${counted(part.faults.filter(one => one.severity === "error").length, "error")}`
    if (part.usable) audiences(part.segments)
  } else if (part.part === "view") view(part)
  else if (part.part === "coverage") showCoverage(state.coverage = part, state.segment)
  else if (part.part === "groups") showGroups(part)
  else if (part.part === "joins") showJoins(part)
  else if (part.part === "error") showError(part)
}

function problems(faults) {
  byId("problems").replaceChildren(...faults.slice(0, 50).map(fault => h(`button.problem.${fault.severity}`, {type: "button", onclick: () => editor.go(fault)},
    h("span.place", {}, `line ${fault.line}`), h("span", {}, fault.message, fault.hint ? h("span.hint", {}, fault.hint) : ""))))
}

function audiences(segments) {
  if (!segments.some(one => one.name === state.segment)) Object.assign(state, {segment: segments[0].name, start: 0, refused: false})
  const list = byId("audiences"), focused = list.contains(document.activeElement)
  list.replaceChildren(...segments.map(one => h("button", {type: "button", role: "tab", "aria-selected": String(one.name === state.segment),
    "aria-controls": "view", tabindex: one.name === state.segment ? "0" : "-1", "data-segment": one.name, onclick: () => choose(one.name)},
  printable(one.name), h("span.kind", {}, one.view))))
  if (focused) list.querySelector("[aria-selected=true]")?.focus()
}

function choose(name) {
  Object.assign(state, {segment: name, start: 0, refused: false})
  for (const tab of byId("audiences").children) {
    const chosen = tab.dataset.segment === name
    tab.setAttribute("aria-selected", String(chosen))
    tab.tabIndex = chosen ? 0 : -1
  }
  if (state.coverage) showCoverage(state.coverage, name)
  again()
}

/** Another part of the views of the same text. */
async function again(asked = {}) {
  Object.assign(state, asked)
  try {
    const part = await post("view", shown())
    if (part.part === "view") view(part)
    else showError({...part, of: "view"})
  } catch (error) { notice(error.message) }
}

function view(part) {
  state.part = {...part, refused: state.refused}
  if (state.start && state.start >= part.total) { again({start: 0}); return }
  showView(state.part, byId("differences").checked, again)
}

async function save() {
  if (byId("save").disabled || state.saving) return
  const text = editor.text()
  state.saving = true
  try {
    state.digest = (await post("save", {text, digest: state.digest})).digest
    Object.assign(state, {saved: text, isNew: false})
    notice("")
    dirty()
    byId("status").textContent = "saved"
  } catch (error) {
    notice(error.message, error.status === 409)
  } finally {
    state.saving = false
  }
}

function notice(text, conflict = false) {
  const place = byId("notice")
  place.hidden = !text
  place.replaceChildren(...explained(text), conflict ? h("button", {type: "button", onclick: load}, "Load the file, discarding these edits") : "")
}

/** Begin with the file as it is on disk. */
async function load() {
  const told = await get("start")
  Object.assign(state, {digest: told.digest, saved: told.text, isNew: told.new})
  byId("file").textContent = told.file
  byId("sample").textContent = `with ${told.sample}`
  notice("")
  editor.replace(told.text)
  dirty()
  return told
}

function tab(name) {
  for (const one of ["proposals", "policy"]) {
    byId(`tab-${one}`).setAttribute("aria-selected", String(one === name))
    byId(`tab-${one}`).tabIndex = one === name ? 0 : -1
    byId(one).hidden = one !== name
  }
}

async function begin() {
  for (const list of document.querySelectorAll("[role=tablist]")) arrows(list)
  for (const one of ["proposals", "policy"]) byId(`tab-${one}`).addEventListener("click", () => tab(one))
  byId("save").addEventListener("click", save)
  byId("differences").addEventListener("change", () => state.part && showView(state.part, byId("differences").checked, again))
  byId("raw").addEventListener("change", event => again({raw: event.target.checked}))
  addEventListener("keydown", event => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s" && !event.defaultPrevented) { event.preventDefault(); save() }
  })
  addEventListener("beforeunload", event => { if (!byId("dirty").hidden && !state.isNew) event.preventDefault() })
  addEventListener("focus", async () => {
    const told = await get("digest").catch(() => null)
    if (told && told.digest !== state.digest) notice(`${byId("file").textContent}: it has changed on disk. Hint: saving is refused until it is loaded again`, true)
  })
  const told = await load()
  state.raw = byId("raw").checked = told.show_raw
  if (told.text.trim()) {
    editor.focus()
    return
  }
  byId("tab-proposals").hidden = false
  tab("proposals")
  proposals = await makeProposals(text => editor.replace(text))
  if (!proposals) tab("policy")
}

begin().catch(error => notice(error.message))
