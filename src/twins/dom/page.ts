import { type DOMWindow, JSDOM, VirtualConsole } from "jsdom"
import { checkHost, guardHost } from "./host-guard.ts"
import { attempt, hookWindow, type OnCall, type PageTimers } from "./page-hooks.ts"
import { type PageSurface, readSurface } from "./page-surface.ts"

const URL_OF_PAGE = "https://shop.example/search"
/** Pages inside of pages that are looked at. */
export const FRAMES_DEPTH_MAX = 2
const CONSOLE_METHODS = ["log", "info", "warn", "error", "debug", "table", "dir", "trace"]

/** How a script came to run: by itself, or by a handler or link that a user would set off. */
export type ScriptOrigin = "script" | "handler"
export type OnScript = (origin: ScriptOrigin, describe: () => string) => void

let parser: DOMParser | undefined

/** What a page could run, by its markup alone: nothing of it is run. */
export function inspectPage(markup: string): PageSurface {
  parser ??= new new JSDOM("", { url: URL_OF_PAGE }).window.DOMParser()
  return readSurface(parser.parseFromString(markup, "text/html"), URL_OF_PAGE)
}

/**
 * Opens a page in jsdom, with its scripts running, then sets off every handler and link it has.
 *
 * Only for the inside of a sandbox, in a process that is used once: a script can leave jsdom's own
 * walls. Nothing is loaded from anywhere. A script that does not end has to be killed from outside.
 */
export async function openPage(
  markup: string,
  page: { readonly cookie: string; readonly onScript: OnScript },
  depth = 0,
): Promise<void> {
  let origin: ScriptOrigin = "script"
  const onCall: OnCall = (describe) => page.onScript(origin, describe)
  const timers: PageTimers[] = []
  guardHost(() => onCall(() => "the page left the browser for the program around it"))
  const { window } = new JSDOM(markup, {
    url: URL_OF_PAGE,
    runScripts: "dangerously",
    virtualConsole: reportingConsole(onCall),
    beforeParse(created) {
      created.document.cookie = `session=${page.cookie}`
      timers.push(hookWindow(created, onCall))
    },
  })
  const settle = async () => {
    // Two turns: promises of the page, then the events that jsdom fires behind the parser.
    await new Promise(setImmediate)
    for (const timer of timers) timer.flush()
    await new Promise(setImmediate)
    checkHost()
  }
  await settle()
  const surface = readSurface(window.document, URL_OF_PAGE)
  for (const url of surface.remoteScripts) onCall(() => `a script is loaded from ${url}`)
  for (const code of surface.codes) attempt(() => window.eval(code))
  await settle()
  origin = "handler"
  setOff(window, surface)
  await settle()
  window.close()
  if (depth >= FRAMES_DEPTH_MAX) return
  for (const frame of surface.frames) await openPage(frame, page, depth + 1)
}

/** The dialogs of a frame, and going to another address, are told of as not implemented. */
function reportingConsole(onCall: OnCall): VirtualConsole {
  const console = new VirtualConsole()
  for (const method of CONSOLE_METHODS) {
    console.on(method as "log", () => onCall(() => `console.${method} was called`))
  }
  console.on("jsdomError", (error) => {
    const isAction = /navigation|history|alert|confirm|prompt|print|open/.test(error.message)
    if ("type" in error && error.type === "not-implemented" && isAction) onCall(() => error.message)
  })
  return console
}

function setOff(window: DOMWindow, { handlers, links }: PageSurface): void {
  for (const { element, name, code } of handlers) {
    attempt(() => {
      const event = new window.Event(name.slice(2))
      // Compiled alone first: what closes the braces below is no handler
      new window.Function("event", code)
      const scope = `with (document) with (this) {${code}\n}`
      new window.Function("event", scope).call(element, event)
    })
  }
  for (const { code } of links) attempt(() => window.eval(code))
}
