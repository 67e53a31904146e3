/** Handlers that a user or the page itself sets off on any element. */
const ANYWHERE = words(
  "click dblclick auxclick contextmenu mousedown mouseup mouseover mouseout mousemove mouseenter",
  "mouseleave mousewheel wheel pointerdown pointerup pointerover pointerout pointermove pointerenter",
  "pointerleave pointercancel pointerrawupdate gotpointercapture lostpointercapture touchstart",
  "touchend touchmove touchcancel keydown keyup keypress input beforeinput change focus blur focusin",
  "focusout select selectstart selectionchange copy cut paste beforecopy beforecut beforepaste drag",
  "dragstart dragend dragenter dragleave dragover drop scroll scrollend scrollsnapchange animationstart",
  "animationend animationiteration animationcancel transitionstart transitionend transitionrun",
  "transitioncancel webkitanimationstart webkitanimationend webkitanimationiteration",
  "webkittransitionend fullscreenchange securitypolicyviolation contentvisibilityautostatechange",
  "beforescriptexecute afterscriptexecute beforematch beforetoggle toggle invalid search submit",
  "reset formdata cancel close activate",
)
/** Handlers that only some elements have. */
const ON_ELEMENTS: readonly (readonly [
  events: ReadonlySet<string>,
  elements: ReadonlySet<string>,
])[] = [
  [
    words("load"),
    words("body frameset img image svg iframe frame script link style object embed input"),
  ],
  [
    words("error"),
    words("body img image script link style object embed input video audio source track"),
  ],
  [
    words(
      "canplay canplaythrough cuechange durationchange emptied ended loadeddata",
      "loadedmetadata loadstart",
    ),
    words("video audio track img"),
  ],
  [
    words(
      "pause play playing progress ratechange seeked seeking stalled suspend timeupdate",
      "volumechange waiting encrypted",
    ),
    words("video audio"),
  ],
  [
    words(
      "pageshow pagehide hashchange popstate beforeunload unload message messageerror",
      "offline online resize storage beforeprint afterprint languagechange",
      "rejectionhandled unhandledrejection",
    ),
    words("body frameset svg"),
  ],
  [words("start finish bounce"), words("marquee")],
  [words("begin end repeat"), words("animate animatemotion animatetransform set")],
]

function words(...lists: readonly string[]): ReadonlySet<string> {
  return new Set(lists.join(" ").split(" "))
}

/** Whether an attribute such as `onerror` is a handler that a browser can call on such an element. */
export function isEventHandler(attribute: string, elementName: string): boolean {
  const event = /^on([a-z]{3,40})$/.exec(attribute.toLowerCase())?.[1]
  if (event === undefined) return false
  const element = elementName.toLowerCase()
  return (
    ANYWHERE.has(event) ||
    ON_ELEMENTS.some(([events, elements]) => events.has(event) && elements.has(element))
  )
}
