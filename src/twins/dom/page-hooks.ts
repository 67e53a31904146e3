/** Calls after which a page is stopped: a loop around a hook. */
const CALLS_MAX = 200
const TIMERS_MAX = 100
const DETAIL_CHARACTERS_MAX = 200
/** jsdom names itself there, and scripts that want to be seen by people only ask for it. */
const USER_AGENT =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

const { stringify } = JSON

/** What a hook needs of a page's window. */
export type PageWindow = Pick<
  typeof globalThis,
  | ("Document" | "Element" | "HTMLIFrameElement" | "HTMLImageElement" | "HTMLScriptElement")
  | ("Promise" | "XMLHttpRequest" | "eval" | "navigator")
>

/**
 * Told each time a script reaches something that only an attacker's script would; `describe` looks at
 * values of the page, which may do anything when they are looked at.
 */
export type OnCall = (describe: () => string) => void

export interface PageTimers {
  /** Runs what scripts put off until now, and what that puts off, bounded. */
  flush(): void
}

/** Functions that report their call and give `result`. */
const FUNCTIONS: Readonly<Record<string, unknown>> = {
  ...{ alert: undefined, confirm: true, prompt: "1", print: undefined, open: null },
  ...{ postMessage: undefined, stop: undefined },
}
const CONSTRUCTORS = ["WebSocket", "EventSource", "Worker", "SharedWorker", "RTCPeerConnection"]

/** Replaces what a script can reach the outside with; no request ever leaves the page. */
export function hookWindow(window: PageWindow, onCall: OnCall): PageTimers {
  const report = limited(onCall)
  for (const [name, result] of Object.entries(FUNCTIONS)) {
    define(window, name, (...given: readonly unknown[]) => {
      report(() => `${name}(${describe(given[0])})`)
      return result
    })
  }
  define(window, "fetch", (target: unknown) => {
    report(() => `fetch(${describe(target)})`)
    return new window.Promise(() => {})
  })
  for (const name of CONSTRUCTORS) define(window, name, reportingConstructor(name, report))
  define(window.navigator, "sendBeacon", (target: unknown) => {
    report(() => `navigator.sendBeacon(${describe(target)})`)
    return true
  })
  define(window.navigator, "userAgent", USER_AGENT)
  hookRequests(window, report)
  hookDocument(window, report)
  return hookTimers(window)
}

function limited(onCall: OnCall): OnCall {
  let calls = 0
  return (what) => {
    calls += 1
    if (calls > CALLS_MAX) throw new Error("the page is stopped")
    onCall(what)
  }
}

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true })
}

function reportingConstructor(name: string, report: OnCall) {
  return function Reporting(target: unknown) {
    report(() => `new ${name}(${describe(target)})`)
  }
}

function hookRequests(window: PageWindow, report: OnCall): void {
  const { prototype } = window.XMLHttpRequest
  define(prototype, "open", (_: unknown, target: unknown) => {
    report(() => `XMLHttpRequest.open(${describe(target)})`)
  })
  define(prototype, "send", () => {})
  for (const name of ["HTMLImageElement", "HTMLScriptElement", "HTMLIFrameElement"] as const) {
    hookSetter(window[name].prototype, "src", (value) =>
      report(() => `${name}.src = ${describe(value)}`),
    )
  }
}

function hookDocument(window: PageWindow, report: OnCall): void {
  const { Document, Element } = window
  for (const name of ["write", "writeln"] as const) {
    const original = Document.prototype[name]
    define(Document.prototype, name, function hooked(this: Document, ...text: string[]) {
      report(() => `document.${name}(${describe(text[0])})`)
      original.apply(this, text)
    })
  }
  const telling = (name: string) => (value: unknown) => report(() => `${name} = ${describe(value)}`)
  hookSetter(Document.prototype, "title", telling("document.title"))
  hookSetter(Element.prototype, "innerHTML", telling("innerHTML"))
  hookSetter(Element.prototype, "outerHTML", telling("outerHTML"))
  hookSetter(Document.prototype, "cookie", telling("document.cookie"))
  hookGetter(Document.prototype, "cookie", () => report(() => "document.cookie was read"))
}

function hookSetter(target: object, name: string, onSet: (value: unknown) => void): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, name)
  if (descriptor?.set === undefined) return
  const { set } = descriptor
  Object.defineProperty(target, name, {
    ...descriptor,
    set(this: unknown, value: unknown) {
      onSet(value)
      set.call(this, value)
    },
  })
}

function hookGetter(target: object, name: string, onGet: () => void): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, name)
  if (descriptor?.get === undefined) return
  const { get } = descriptor
  Object.defineProperty(target, name, {
    ...descriptor,
    get(this: unknown) {
      onGet()
      return get.call(this)
    },
  })
}

/** Timers run in order when they are flushed: nothing waits, and every run is alike. */
function hookTimers(window: PageWindow): PageTimers {
  const waiting: (() => unknown)[] = []
  const putOff = (handler: unknown, _: unknown, ...given: readonly unknown[]) => {
    const isCallable = typeof handler === "function"
    waiting.push(isCallable ? () => handler(...given) : () => window.eval(String(handler)))
    return waiting.length
  }
  for (const name of [
    "setTimeout",
    "setInterval",
    "requestAnimationFrame",
    "requestIdleCallback",
  ]) {
    define(window, name, putOff)
  }
  return {
    flush() {
      for (let count = 0; count < TIMERS_MAX; count++) {
        const next = waiting.shift()
        if (next === undefined) return
        attempt(next)
      }
    },
  }
}

/** Runs code of the page; what it throws is its own affair. */
export function attempt(run: () => unknown): void {
  try {
    run()
  } catch {
    // thrown by the page
  }
}

/** A value that the page made, which may do anything when it is looked at. */
function describe(value: unknown): string {
  try {
    return stringify(String(value)).slice(0, DETAIL_CHARACTERS_MAX)
  } catch {
    return "?"
  }
}
