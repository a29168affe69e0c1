// Records before and after, lines of groups and rows of figures, of the chosen audience.
import {byId, counted, h, number, printable} from "./dom.js"

const SIGNS = {same: "", changed: "→", removed: "–", added: "+"}
const WORDS = {same: "unchanged", changed: "changed", removed: "not in the view", added: "only in the view"}
let before = new Map()

/** Draw a part of a view; `ask` is called with {start, refused} for another one. */
export function showView(part, onlyDifferences, ask) {
  counts(part, ask)
  const fresh = new Map()
  const body = part.kind === "masked" ? part.shown.map(one => record(one, part, onlyDifferences, fresh)) : lines(part)
  before = fresh
  const view = byId("view")
  const focused = view.contains(document.activeElement) ? document.activeElement.dataset.step : undefined
  view.replaceChildren(...body, pager(part, ask))
  if (focused) (view.querySelector(`[data-step="${focused}"]:not(:disabled)`) ?? view.querySelector("[data-step]"))?.focus()
}

function counts(part, ask) {
  const sample = `${counted(part.records, "record")}${part.more ? ", the first of the file" : ""}`
  const refused = part.quarantined ? h("button.chip.bad", {
    type: "button", "aria-pressed": String(Boolean(part.refused)), disabled: part.kind !== "masked",
    onclick: () => ask({start: 0, refused: !part.refused})}, `${number(part.quarantined)} quarantined`) : h("span.chip.good", {}, "none quarantined")
  const reasons = part.reasons.slice(0, 4).map(one => h("span.soft", {}, `${one.reason}${one.path ? ` (${printable(one.path)})` : ""} ${number(one.records)}`))
  const view = part.kind === "lines" ? h("span.chip", {}, part.quasi_identifiers.length ?
    `${counted(part.total, "line")} in ${counted(part.classes ?? 0, "class").replace("classs", "classes")}` : counted(part.total, "row")) : null
  byId("counts").replaceChildren(h("span", {}, sample), view ?? "", refused, ...reasons)
}

function record(one, part, onlyDifferences, fresh) {
  const title = `record ${number(one.row + 1)}`
  if (one.quarantine) {
    const why = one.quarantine
    return h("article.record.refused", {}, h("h3", {}, title, h("span.chip.bad", {}, "quarantined")),
      h("p", {}, h("b", {}, why.reason), why.path ? [" at ", h("code", {}, printable(why.path))] : ""),
      why.members.length ? h("ul", {}, why.members.map(text => h("li", {}, printable(text)))) : null,
      one.raw ? h("pre", {}, printable(one.raw)) : null)
  }
  const members = onlyDifferences ? one.members.filter(member => member[3] !== "same") : one.members
  const rows = members.map(([path, left, right, mark]) => {
    const key = `${part.segment} ${one.row} ${path}`
    fresh.set(key, right)
    const isNew = before.has(key) && before.get(key) !== right
    return h(`tr.${mark}${isNew ? ".fresh" : ""}`, {}, h("th", {scope: "row"}, h("code", {}, printable(path))),
      h("td.before", {}, value(left, right, mark)),
      h("td.sign", {}, h("span", {title: WORDS[mark]}, SIGNS[mark]), h("span.hidden", {}, WORDS[mark])),
      h("td.after", {}, mark === "removed" ? h("span.none", {}, "not in the view") : value(right, left, mark)))
  })
  const extra = one.undeclared ? h("p.soft", {}, `${counted(one.undeclared, "undeclared member")} not shown here`) : null
  return h("article.record", {}, h("table", {}, h("caption", {}, title), h("colgroup", {}, ["field", "left", "sign", "right"].map(name => h(`col.${name}`))),
    h("thead.hidden", {}, h("tr", {}, ["field", "before", "", "after"].map(text => h("th", {scope: "col"}, text)))), h("tbody", {}, rows)),
    rows.length ? null : h("p.soft", {}, "no differences"), extra)
}

/** A value, what differs from the other side marked. */
function value(text, other, mark) {
  const shown = printable(text)
  if (/^"?‹.*›"?$/.test(shown)) return h("span.kept", {title: "personal value, hidden"}, shown.replaceAll('"', ""))
  if (mark !== "changed" || /^"?‹/.test(other)) return h("bdi", {}, shown)
  const against = printable(other)
  let start = 0, end = 0
  const most = Math.min(shown.length, against.length)
  while (start < most && shown[start] === against[start]) start++
  while (end < most - start && shown[shown.length - 1 - end] === against[against.length - 1 - end]) end++
  const kept = start + end
  if (kept < 3 || start === shown.length - end) return h("bdi", {}, h("mark", {}, shown))
  return h("bdi", {}, shown.slice(0, start), h("mark", {}, shown.slice(start, shown.length - end)), shown.slice(shown.length - end))
}

function lines(part) {
  if (part.empty) return [h("p.empty", {}, part.empty)]
  const quasi = new Set(part.quasi_identifiers)
  const head = h("tr", {}, quasi.size ? h("th.size", {scope: "col"}, "class of") : null,
    part.columns.map(name => h("th", {scope: "col"}, h("code", {}, printable(name)), quasi.has(name) ? h("span.soft", {}, " quasi-identifier") : "")))
  const rows = part.lines.map((line, at) => {
    const first = at === 0 || part.lines[at - 1].class !== line.class
    return h(`tr${line.class % 2 ? ".odd" : ""}${quasi.size ? first ? ".first" : ".further" : ""}`, {},
      quasi.size ? h("td.size", {}, first ? h("b", {}, counted(line.size, "line")) : "") : null,
      line.cells.map((cell, column) => h(`td${quasi.has(part.columns[column]) ? ".quasi" : ""}`, {}, h("bdi", {}, printable(cell)))))
  })
  return [h("div.scroll", {}, h("table.lines", {}, h("caption.hidden", {}, part.segment), h("thead", {}, head), h("tbody", {}, rows)))]
}

function pager(part, ask) {
  const count = (part.shown ?? part.lines).length, end = part.start + count
  if (!part.total || (part.start === 0 && end >= part.total)) return ""
  const size = part.page
  const step = (name, start, off) => h("button", {type: "button", "data-step": name, disabled: off, onclick: () => ask({start})}, name)
  return h("nav.pager", {"aria-label": "Records"}, step("← previous", Math.max(0, part.start - size), part.start === 0),
    h("span.soft", {}, `${number(part.start + 1)} to ${number(end)} of ${number(part.total)}`), step("next →", end, end >= part.total))
}
