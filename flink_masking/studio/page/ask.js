// Requests to the studio's server, all of this origin.

const page = crypto.randomUUID()
let edits = 0
let running = null

async function told(response) {
  const body = await response.json().catch(() => ({error: `the server answered ${response.status}`}))
  if (!response.ok) throw Object.assign(new Error(body.error), {status: response.status})
  return body
}

const posted = (name, body, signal) => fetch(name, {
  method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(body), signal, cache: "no-store"})

export const get = async name => told(await fetch(name, {cache: "no-store"}))
export const post = async (name, body) => told(await posted(name, body))

/** The answer to an edit, part by part; an answer to an edit before it is given up. Returns whether it was heard to the end. */
export async function answer(edit, heard) {
  running?.abort()
  const mine = running = new AbortController()
  const response = await posted("answer", {...edit, page, number: ++edits}, mine.signal)
  if (!response.ok) await told(response)
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ""
  for (;;) {
    const {value, done} = await reader.read()
    if (mine !== running) return false
    if (done) return true
    const lines = (rest + value).split("\n")
    rest = lines.pop()
    for (const line of lines) heard(JSON.parse(line))
  }
}
