// Elements without markup: every text goes through textContent, so nothing of a sample or a policy is ever parsed.

/** Make an element: h("p", {class: "soft", onclick: f}, "text", child, …); null and false children are left out. */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".")
  const made = document.createElement(name)
  if (classes.length) made.className = classes.join(" ")
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value)
    else if (key === "share") made.style.setProperty("--share", value)
    else made.setAttribute(key, value === true ? "" : value)
  }
  made.append(...children.flat(Infinity).filter(one => one !== null && one !== undefined && one !== false))
  return made
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

export const byId = id => document.getElementById(id)

/** Control and formatting characters as escapes, so that no value can change how its line reads. */
export function printable(text) {
  return text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, one => `\\u{${one.codePointAt(0).toString(16)}}`)
}

export const number = value => value.toLocaleString("en", {maximumFractionDigits: 2})
export const counted = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`
export const percent = value => `${(100 * value).toLocaleString("en", {maximumFractionDigits: value < 0.1 ? 1 : 0})} %`

/** Split an error of the house's form into what is wrong and what to do. */
export function explained(text) {
  const [what, hint] = text.split(/\s*Hint: /)
  return [h("span", {}, what), ...(hint ? [h("span.hint", {}, hint)] : [])]
}

/** Tabs that arrow keys move between. */
export function arrows(list) {
  list.addEventListener("keydown", event => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key]
    const tabs = [...list.querySelectorAll("[role=tab]:not([hidden])")]
    if (!step || !tabs.length) return
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length]
    next.focus()
    next.click()
    event.preventDefault()
  })
}
