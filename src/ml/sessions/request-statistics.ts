import type { Session, SessionRequest } from "../../events.ts"
import { isAssetPath, isLoginPath, isSensitivePath, toolOfUserAgent } from "./tool-signatures.ts"

/** Gaps below this are faster than a person clicks. */
const BURST_GAP_MS = 100
/** Names in one query string that are counted: more are as telling as this many. */
const PARAMETERS_MAX = 256

/** Reads the requests of a session once; the feature table reads the sums. */
export class RequestStatistics {
  readonly count: number
  get = 0
  post = 0
  methods = new Set<string>()
  paths = new Map<string, number>()
  userAgents = new Set<string>()
  pathDepth = 0
  pathDepthMax = 0
  parameters = 0
  parametersMax = 0
  parameterNames = new Set<string>()
  status4xx = 0
  status5xx = 0
  status3xx = 0
  status404 = 0
  statusDenied = 0
  responseBytes = 0
  responseBytesMax = 0
  responseSizes = new Set<number>()
  totalTimeMs = 0
  urlLength = 0
  urlLengthMax = 0
  bodyLength = 0
  headers = 0
  withReferer = 0
  withCookie = 0
  withLanguage = 0
  assets = 0
  sensitive = 0
  logins = 0
  loginPosts = 0
  deniedLogins = 0
  scannerAgents = 0
  clientAgents = 0
  emptyAgents = 0
  numberedPaths = new Map<string, Set<string>>()
  #userAgent: string | undefined
  #tool: ReturnType<typeof toolOfUserAgent>
  readonly gapsMs: number[]
  readonly spanMs: number

  constructor(session: Session) {
    this.count = session.requests.length
    for (const request of session.requests) this.#add(request)
    const timesMs = startTimesMs(session.requests)
    this.gapsMs = timesMs.slice(1).map((time, i) => time - (timesMs[i] ?? time))
    this.spanMs = (timesMs.at(-1) ?? 0) - (timesMs[0] ?? 0)
  }

  /** Share of the requests: 0 for a session without any. */
  share(count: number): number {
    return this.count === 0 ? 0 : count / this.count
  }

  get burstShare(): number {
    if (this.gapsMs.length === 0) return 0
    return this.gapsMs.filter((gap) => gap < BURST_GAP_MS).length / this.gapsMs.length
  }

  /** Standard deviation of the gaps over their mean: 0 = a metronome, about 1 = chance. */
  get gapVariation(): number {
    const mean = this.meanGapMs
    if (this.gapsMs.length < 2 || mean === 0) return 0
    const squares = this.gapsMs.reduce((sum, gap) => sum + (gap - mean) ** 2, 0)
    return Math.sqrt(squares / this.gapsMs.length) / mean
  }

  get meanGapMs(): number {
    return this.gapsMs.length === 0 ? 0 : this.spanMs / this.gapsMs.length
  }

  /** Requests of the most asked path. */
  get topPath(): number {
    return maxOf(this.paths.values())
  }

  /** Most distinct values of one numbered place, as in /users/1, /users/2: an enumeration. */
  get numberedMax(): number {
    return maxOf([...this.numberedPaths.values()].map((values) => values.size))
  }

  #add(request: SessionRequest): void {
    this.#addTarget(request)
    this.#addResponse(request)
    this.#addClient(request)
  }

  #addTarget(request: SessionRequest): void {
    if (request.method === "GET") this.get += 1
    if (request.method === "POST") this.post += 1
    this.methods.add(request.method)
    this.paths.set(request.path, (this.paths.get(request.path) ?? 0) + 1)
    const depth = pathDepth(request.path)
    this.pathDepth += depth
    this.pathDepthMax = Math.max(this.pathDepthMax, depth)
    const names = parameterNames(request.query)
    this.parameters += names.size
    this.parametersMax = Math.max(this.parametersMax, names.size)
    for (const name of names) this.parameterNames.add(name)
    this.urlLength += request.url.length
    this.urlLengthMax = Math.max(this.urlLengthMax, request.url.length)
    this.bodyLength += request.body.length
    this.#addNumbered(request)
  }

  #addNumbered(request: SessionRequest): void {
    const target = `${request.path}?${request.query}`.slice(0, 256)
    const number = /\d{1,12}/.exec(target)?.[0]
    if (number === undefined) return
    const template = target.replace(number, "0")
    const values = this.numberedPaths.get(template)
    if (values === undefined) this.numberedPaths.set(template, new Set([number]))
    else values.add(number)
  }

  #addResponse(request: SessionRequest): void {
    const { status, path } = request
    if (status >= 500) this.status5xx += 1
    else if (status >= 400) this.status4xx += 1
    else if (status >= 300) this.status3xx += 1
    if (status === 404) this.status404 += 1
    const denied = status === 401 || status === 403 || status === 429
    if (denied) this.statusDenied += 1
    this.responseBytes += Math.max(0, request.responseBytes)
    this.responseBytesMax = Math.max(this.responseBytesMax, request.responseBytes)
    this.responseSizes.add(request.responseBytes)
    this.totalTimeMs += Math.max(0, request.timeMs)
    const lowerPath = path.slice(0, 512).toLowerCase()
    if (isAssetPath(lowerPath)) this.assets += 1
    if (isSensitivePath(lowerPath)) this.sensitive += 1
    if (!isLoginPath(lowerPath)) return
    this.logins += 1
    if (request.method === "POST") this.loginPosts += 1
    if (denied) this.deniedLogins += 1
  }

  #addClient(request: SessionRequest): void {
    if (request.userAgent === "") this.emptyAgents += 1
    if (request.userAgent !== this.#userAgent) this.#recogniseAgent(request.userAgent)
    if (this.#tool?.scanner === true) this.scannerAgents += 1
    else if (this.#tool !== undefined) this.clientAgents += 1
    this.headers += request.headers.length
    for (const { name } of request.headers) this.#addHeader(name.toLowerCase())
  }

  /** A session seldom changes its agent, so the last one is remembered. */
  #recogniseAgent(userAgent: string): void {
    this.userAgents.add(userAgent)
    this.#userAgent = userAgent
    this.#tool = toolOfUserAgent(userAgent)
  }

  #addHeader(name: string): void {
    if (name === "referer") this.withReferer += 1
    else if (name === "cookie") this.withCookie += 1
    else if (name === "accept-language") this.withLanguage += 1
  }
}

function startTimesMs(requests: readonly SessionRequest[]): number[] {
  const times: number[] = []
  for (const { startedMs } of requests) if (startedMs !== undefined) times.push(startedMs)
  return times.sort((a, b) => a - b)
}

function pathDepth(path: string): number {
  let depth = 0
  for (let i = 0; i < path.length; i++) {
    const startsSegment = path[i] !== "/" && (i === 0 || path[i - 1] === "/")
    if (startsSegment) depth += 1
  }
  return depth
}

function parameterNames(query: string): Set<string> {
  const names = new Set<string>()
  if (query === "") return names
  for (const pair of query.split("&", PARAMETERS_MAX)) {
    const name = pair.split("=", 1)[0]
    if (name !== undefined && name !== "") names.add(name)
  }
  return names
}

/** Largest of some non-negative numbers, 0 for none. */
function maxOf(values: Iterable<number>): number {
  let max = 0
  for (const value of values) if (value > max) max = value
  return max
}
