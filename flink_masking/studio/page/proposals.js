// Proposals of the scan, accepted or refused one by one; what is accepted makes the policy.
import {byId, counted, explained, h, number, percent, printable} from "./dom.js"
import {get, post} from "./ask.js"

/** Ask for the proposals and show them; `made` is called with the policy after every decision. */
export async function makeProposals(made) {
  const panel = byId("proposals")
  panel.replaceChildren(h("p.empty", {}, "Scanning the sample …"))
  let told
  try {
    told = await get("proposals")
  } catch (error) {
    panel.replaceChildren(h("p.note", {}, explained(error.message)))
    return null
  }
  const decided = new Map()
  const rows = new Map()
  let sent = 0
  const open = [...told.settings, ...told.fields.filter(one => one.rule !== null)]
  const heading = h("p", {}, `The scan of ${counted(told.records, "record")} proposes a policy, field by field. What you accept is shown as its rule says; `
    + "everything else is declared, and dropped.")
  const progress = h("span.progress", {role: "status"})
  const all = (text, choice) => h("button", {type: "button", onclick: () => decide(open.filter(one => !decided.has(one.id)).map(one => one.id), choice)}, text)
  const stale = h("p.notice", {hidden: true}, "The policy was edited by hand. To go on with proposals, ",
    h("button", {type: "button", onclick: () => { stale.hidden = true; list.inert = false; send() }}, "discard the edits"))
  const list = h("ul.proposals", {}, told.settings.map(setting), told.fields.map(field))
  const actions = h("div.actions", {}, all("Accept all others", true), all("Refuse all others", false), progress)
  panel.replaceChildren(h("div.head", {}, heading, actions, stale), list)

  function buttons(id, what) {
    const yes = h("button.accept", {type: "button", "aria-pressed": "false", onclick: () => decide([id], true)}, "Accept", h("span.hidden", {}, ` ${what}`))
    const no = h("button.refuse", {type: "button", "aria-pressed": "false", onclick: () => decide([id], false)}, "Refuse", h("span.hidden", {}, ` ${what}`))
    return h("div.decide", {}, yes, no)
  }

  function setting(one) {
    const [name, text] = {subject: ["subject", "whom a record is about: anonymized and aggregated views count people by it"],
      event_time: ["event time", "when an event was: aggregated views need it"]}[one.id]
    return keep(one.id, h("li.setting", {"data-id": one.id}, h("div.what", {}, h("p", {}, h("b", {}, name), " ", h("code", {}, printable(one.field))), h("p.because", {}, text)),
      buttons(one.id, name)))
  }

  function field(one) {
    const share = one.share === null || one.share === 1 ? "" : `, in ${percent(one.share)} of the records`
    const values = one.values === null ? "" : `${counted(one.values, "value")}${share}: `
    return keep(one.id, h("li", {"data-id": one.id}, h("div.what", {},
      h("p", {}, h("code.path", {}, printable(one.id)), " ", h(`span.class.${one.class}`, {}, one.class.replace("_", " ")), one.type ? h("span.soft", {}, ` ${one.type}`) : ""),
      h("p.rule", {}, one.rule === null ? h("span.none", {}, "dropped: nothing says that it may be shown") : h("code", {}, printable(one.rule))),
      h("p.because", {}, printable(values + one.because)),
      one.decide ? h("p.question", {}, printable(one.decide)) : null), one.rule === null ? h("div.decide", {}) : buttons(one.id, printable(one.id))))
  }

  function keep(id, row) { rows.set(id, row); return row }

  function decide(ids, choice) {
    for (const id of ids) decided.set(id, choice)
    for (const [id, row] of rows) {
      const now = decided.get(id)
      row.classList.toggle("accepted", now === true)
      row.classList.toggle("refused", now === false)
      row.querySelector(".accept")?.setAttribute("aria-pressed", String(now === true))
      row.querySelector(".refuse")?.setAttribute("aria-pressed", String(now === false))
    }
    send()
  }

  async function send() {
    const mine = ++sent
    const accepted = [...decided].filter(([, yes]) => yes).map(([id]) => id)
    const left = open.length - decided.size
    progress.textContent = `${number(accepted.length)} accepted, ${number(decided.size - accepted.length)} refused, ${number(left)} open`
    const {text} = await post("propose", {accepted})
    if (mine === sent) made(text)
  }

  await send()
  return {edited() { stale.hidden = false; list.inert = true }}
}
