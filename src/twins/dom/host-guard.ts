/**
 * Notices a page that leaves jsdom. Its objects are made by the program around the page, so that a
 * script finds its way from them to that program's own functions, and could make it say anything.
 *
 * What this uses while a page is open was taken before: a page may have replaced any method.
 */

const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf, is: isSame } = Object
const { ownKeys } = Reflect

/** Prototypes of the kinds of functions: their constructors make a function of a text. */
const FUNCTION_PROTOTYPES: readonly object[] = [
  () => {},
  async () => {},
  function* generator() {},
  async function* asyncGenerator() {},
].map((example) => getPrototypeOf(example))

const KINDS = [Object, Array, String, Number, RegExp, Promise, Map, Set, WeakMap, Error, Uint8Array]
/** What a page has to change in order to alter what the program says. */
const WATCHED: readonly object[] = [
  ...FUNCTION_PROTOTYPES,
  ...KINDS.flatMap((kind) => [kind, kind.prototype]),
  ...[getPrototypeOf(Uint8Array.prototype), JSON, Reflect],
  ...[getPrototypeOf([].values()), getPrototypeOf(new Map().values())],
]

type Tell = () => void

let tell: Tell = () => {}
let isLeft = false
let isSetUp = false
let before: readonly ObjectState[] = []

/** From now on `told` is called when a page reaches the program around it, before it has it. */
export function guardHost(told: Tell): void {
  tell = told
  if (isSetUp) return
  isSetUp = true
  for (const prototype of FUNCTION_PROTOTYPES) trapConstructor(prototype)
  before = WATCHED.map(stateOf)
}

/** Whether some page reached it: what another page would do here says nothing any more. */
export function isHostLeft(): boolean {
  return isLeft
}

/** Tells where a page changed something of the program around it. */
export function checkHost(): void {
  for (let index = 0; index < before.length; index++) {
    const state = before[index]
    if (state !== undefined && isChanged(state)) tellEscape()
  }
}

function tellEscape(): void {
  isLeft = true
  tell()
}

function trapConstructor(prototype: object): void {
  const original: unknown = Reflect.get(prototype, "constructor")
  defineProperty(prototype, "constructor", {
    configurable: true,
    get() {
      tellEscape()
      return original
    },
    set(this: object, value: unknown) {
      defineProperty(this, "constructor", { value, writable: true, configurable: true })
    },
  })
}

interface ObjectState {
  readonly object: object
  readonly keys: readonly PropertyKey[]
  readonly descriptors: readonly PropertyDescriptor[]
}

function stateOf(object: object): ObjectState {
  const keys = ownKeys(object)
  const descriptors = keys.map((key) => getOwnPropertyDescriptor(object, key) ?? {})
  return { object, keys, descriptors }
}

function isChanged({ object, keys, descriptors }: ObjectState): boolean {
  if (ownKeys(object).length !== keys.length) return true
  for (let index = 0; index < keys.length; index++) {
    const was = descriptors[index]
    const now = getOwnPropertyDescriptor(object, keys[index] ?? "")
    if (!isSame(now?.value, was?.value) || now?.get !== was?.get) return true
  }
  return false
}
