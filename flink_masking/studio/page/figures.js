// Below the views: coverage, groups and loss, joins.
import {byId, counted, explained, h, number, percent, printable, svg} from "./dom.js"

const MARKS = {"nothing": "–", "random token": "◇", "stand-in": "◆", "noise": "≈", "coarser": "▤", "other records' values": "⇄", "part": "◐", "exact": "●"}
let cells = new Map()
const body = id => byId(id).querySelector(".body")

export function showCoverage({coverage}, segment) {
  const fresh = new Map()
  const rows = coverage.rows.map(row => h("tr", {}, h("th", {scope: "row"}, h("code", {}, printable(row.path)), " ", h("span.soft.role", {}, row.class.replace("_", " "))),
    row.cells.map(cell => {
      const key = `${cell.segment} ${row.path}`
      const now = `${cell.tells} ${cell.rule}`
      fresh.set(key, now)
      const level = coverage.tells.indexOf(cell.tells)
      const known = cell.tells === "exact" && (row.class === "plain" || row.class === "measure")
      return h(`td.level-${known ? 5 : level}${cells.has(key) && cells.get(key) !== now ? ".fresh" : ""}${cell.segment === segment ? ".chosen" : ""}`,
        {title: cell.default ? `${cell.rule}, because no rule names it` : cell.rule},
        h("span.sign", {"aria-hidden": "true"}, MARKS[cell.tells]), h(cell.default ? "span.default" : "span", {}, cell.tells))
    })))
  const last = coverage.rows.some(row => row.class === "undeclared") ? null : h("tr", {}, h("th", {scope: "row"}, h("i", {}, "undeclared members")),
    h("td", {colspan: coverage.segments.length}, coverage.default === "quarantine" ? "the record goes to quarantine" : coverage.default))
  cells = fresh
  body("coverage").replaceChildren(h("table", {}, h("caption.hidden", {}, "Fields and views"),
    h("thead", {}, h("tr", {}, h("th", {scope: "col"}, "field"), coverage.segments.map(name =>
      h(name === segment ? "th.chosen" : "th", {scope: "col"}, printable(name))))), h("tbody", {}, rows, last)),
  h("p.soft", {}, "Dashed: because no rule names the field."))
}

export function showGroups({groups}) {
  if (!groups.length) {
    body("groups").replaceChildren(h("p.empty", {}, "The policy has no anonymized or aggregated segment."))
    return
  }
  body("groups").replaceChildren(...groups.map(one => h("section", {}, h("h3", {}, printable(one.segment), " ", h("span.soft", {}, one.view)),
    one.note ? h("p.note", {}, explained(one.note)) : one.view === "anonymized" ? anonymized(one) : aggregated(one))))
}

function anonymized(view) {
  const promises = view.promises.map(one => h("li", {}, h(`span.verdict.${one.verdict}`, {}, {held: "✓ held", broken: "✗ broken", open: "? open"}[one.verdict]),
    " ", h("b", {}, one.name), ` ${one.promised}: ${one.found}`, one.note ? h("span.soft", {}, ` (${one.note})`) : ""))
  const loss = view.figures.loss ?? {}
  const sizes = view.class_sizes, least = sizes.length ? Math.min(...sizes.map(one => one.lines)) : 0
  const risk = view.figures.risk ?? {}
  const tiles = [["loss", loss.all === undefined ? "–" : percent(loss.all)], ["suppressed", percent(view.figures.suppression?.share ?? 0)],
    ["classes", number(view.counts.classes ?? 0)], ["smallest class", sizes.length ? `${least} ≥ k = ${view.k}` : "–"],
    ["highest risk", risk["prosecutor, highest"] === undefined ? "–" : `${view.notes.some(text => text.includes("upper bound")) ? "≤ " : ""}${percent(risk["prosecutor, highest"])}`]]
  return [
    h("dl.tiles", {}, tiles.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text)))),
    Object.keys(loss).length > 1 ? h("table.bars", {}, h("caption", {}, "Loss by quasi-identifier"), h("tbody", {}, Object.entries(loss).filter(([name]) => name !== "all").map(([name, share]) =>
      h("tr", {}, h("th", {scope: "row"}, h("code", {}, printable(name))), h("td", {}, h("span.track", {}, h("span.fill", {share: `${100 * share}%`}))), h("td.n", {}, percent(share)))))) : null,
    sizes.length ? histogram(sizes, view.k) : null,
    view.distributions.map(one => one.bins.length ? distribution(one) : null),
    h("ul.promises", {}, promises),
  ]
}

function histogram(sizes, k) {
  const width = Math.max(1, Math.ceil((Math.max(...sizes.map(one => one.lines)) - k + 1) / 24)), bins = new Map()
  for (const one of sizes) {
    const start = k + Math.floor((one.lines - k) / width) * width
    bins.set(start, (bins.get(start) ?? 0) + one.classes)
  }
  const ordered = [...bins].sort((a, b) => a[0] - b[0])
  return chart("Classes by their number of lines", ordered.map(([start, count]) => [width === 1 ? `${start}` : `${start}–${start + width - 1}`, [count]]), number, ["classes"])
}

const distribution = told => chart(`${told.path}, before and after`, told.bins.map(one => [one.label, [one.before, one.after]]), percent, ["before", "after"])

/** Bars side by side, with the figures as text for those who do not see them. */
function chart(title, bars, written, series) {
  const most = Math.max(...bars.flatMap(([, values]) => values), 1e-9), step = 100 / bars.length, wide = step * 0.8 / series.length
  const drawn = bars.flatMap(([label, values], at) => values.map((value, which) => {
    const bar = svg("rect", {x: at * step + step * 0.1 + which * wide, y: 38 - 36 * value / most, width: wide, height: 36 * value / most, class: `bar-${which}`})
    bar.append(svg("title", {}))
    bar.firstChild.textContent = `${label}: ${written(value)}${series.length > 1 ? ` ${series[which]}` : ""}`
    return bar
  }))
  return h("figure", {}, h("figcaption", {}, title, series.length > 1 ? h("span.legend", {}, series.map((name, at) => h(`span.key-${at}`, {}, name))) : ""),
    svg("svg", {viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img", "aria-label": bars.map(([label, values]) => `${label}: ${values.map(written).join(", ")}`).join("; ")},
      ...drawn, svg("line", {x1: 0, x2: 100, y1: 38.2, y2: 38.2, class: "axis"})),
    h("p.ends", {"aria-hidden": "true"}, h("span", {}, bars[0][0]), bars.length > 1 ? h("span", {}, bars.at(-1)[0]) : ""))
}

function aggregated(view) {
  return [
    h("dl.tiles", {}, [["epsilon, a window", number(view.epsilon)], ["delta", String(view.delta ?? 0)], ["a day, at most", `ε ${number(view.per_day.epsilon)}`],
      ["rows", number(view.rows)]].map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text)))),
    h("p.soft", {}, `Groups are ${view.groups}`),
    view.noise.length ? h("table.noise", {}, h("caption", {}, "Noise: 95 of 100 figures are as near as this"), h("tbody", {}, view.noise.map(one =>
      h("tr", {}, h("th", {scope: "row"}, h("code", {}, printable(one.metric))), h("td.n", {}, `± ${number(one.error_95)}`))))) : null,
  ]
}

export function showJoins({joins, note}) {
  if (note) {
    body("joins").replaceChildren(h("p.note", {}, explained(note)))
    return
  }
  if (!joins.length) {
    body("joins").replaceChildren(h("p.empty", {}, "No two views have lines that could be joined, and no view has groups to intersect."))
    return
  }
  body("joins").replaceChildren(h("ul.joins", {}, joins.map(one => h(one.singled_out ? "li.bad" : "li", {},
    h("p", {}, one.views.map((name, at) => [at ? " × " : "", h("b", {}, printable(name))]), one.views.length === 1 ? " by itself" : ""),
    h("p.soft", {}, "by ", one.fields.map((name, at) => [at ? ", " : "", h("code", {}, printable(name))])),
    h("p.verdict-line", {}, one.singled_out ? h("span.verdict.broken", {}, `✗ ${people(one.singled_out)} singled out`) : h("span.verdict.held", {}, "✓ nobody singled out"),
      one.narrowed > one.singled_out ? h("span", {}, `, ${people(one.narrowed)} among fewer than k`) : ""),
    h("details", {}, h("summary", {}, `${counted(one.lines, "line")} tried: how`), h("p.soft", {}, one.note))))))
}

const people = count => count === 1 ? "1 person" : `${number(count)} people`

/** Why a part is missing. */
export function showError(part) {
  const where = {view: [byId("view")], coverage: [body("coverage")], groups: [body("groups")], joins: [body("joins")]}[part.of] ?? []
  for (const one of where) one.replaceChildren(h("p.note", {}, explained(part.message)))
}
