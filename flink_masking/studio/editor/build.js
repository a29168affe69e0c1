// Bundles entry.js into one module of the page, and the licences of what is in it beside it.
import { build } from "esbuild"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

const page = "../page"
const made = await build({ entryPoints: ["entry.js"], bundle: true, format: "esm", minify: true, target: "es2022", legalComments: "none",
  charset: "ascii", metafile: true, write: false })

const folders = new Set(Object.keys(made.metafile.inputs).filter(one => one.startsWith("node_modules/")).map(one => {
  let folder = dirname(one)
  while (!existsSync(join(folder, "package.json")) || !JSON.parse(readFileSync(join(folder, "package.json"))).version) folder = dirname(folder)
  return folder
}))
const packages = [...folders].sort().map(folder => ({ ...JSON.parse(readFileSync(join(folder, "package.json"))),
  text: readFileSync(join(folder, "LICENSE"), "utf8").trim() }))
const other = packages.find(one => one.license !== "MIT")
if (other) throw new Error(`${other.name} is not under the MIT License`)
const versions = packages.map(one => `${one.name} ${one.version}`).join(", ")
writeFileSync(join(page, "codemirror.js"), `/* ${versions}; MIT License, see codemirror.LICENSE.txt. Made by editor/build.js: do not edit. */\n`
  + made.outputFiles[0].text)
const texts = new Map()
for (const one of packages) texts.set(one.text, [...(texts.get(one.text) ?? []), `${one.name} ${one.version}`])
writeFileSync(join(page, "codemirror.LICENSE.txt"), [...texts].map(([text, names]) => `${names.join(", ")}\n\n${text}\n`).join("\n\n"))
console.log(`${page}/codemirror.js: ${made.outputFiles[0].text.length} bytes of ${packages.length} packages`)
