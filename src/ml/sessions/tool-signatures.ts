/** A tool that names itself in its user agent; `scanner` tools are made to attack. */
interface ToolSignature {
  readonly tool: string
  /** Lower-case fragment of the user agent. */
  readonly fragment: string
  readonly scanner: boolean
}

const scanners = (...names: string[]): ToolSignature[] =>
  names.map((name) => ({ tool: name, fragment: name, scanner: true }))
const clients = (...names: string[]): ToolSignature[] =>
  names.map((name) => ({ tool: name, fragment: name, scanner: false }))

/** Tools by the user agents that their own documentation gives. Scanners come first. */
const TOOL_SIGNATURES: readonly ToolSignature[] = [
  ...scanners("sqlmap", "nikto", "gobuster", "dirbuster", "feroxbuster", "wfuzz", "ffuf"),
  ...scanners("nuclei", "wpscan", "masscan", "zgrab", "hydra", "openvas", "acunetix", "nessus"),
  ...scanners("arachni", "w3af", "jaeles", "commix", "xsser", "whatweb", "skipfish", "burp"),
  { tool: "nmap", fragment: "nmap scripting engine", scanner: true },
  { tool: "zap", fragment: "owasp zap", scanner: true },
  { tool: "patator", fragment: "patator", scanner: true },
  { tool: "curl", fragment: "curl/", scanner: false },
  { tool: "wget", fragment: "wget/", scanner: false },
  { tool: "go-http-client", fragment: "go-http-client", scanner: false },
  ...clients("python-requests", "python-urllib", "aiohttp", "httpx", "okhttp", "axios"),
  ...clients("libwww-perl", "scrapy", "postman", "java/", "node-fetch", "headless"),
]

const USER_AGENT_CHARACTERS_MAX = 512

/** The tool that a user agent names, or undefined. Only the first 512 characters are read. */
export function toolOfUserAgent(userAgent: string): ToolSignature | undefined {
  const lower = userAgent.slice(0, USER_AGENT_CHARACTERS_MAX).toLowerCase()
  return TOOL_SIGNATURES.find((signature) => lower.includes(signature.fragment))
}

/** True for a tool that many use for many things: it does not tell one campaign from another. */
export function isGenericClient(tool: string): boolean {
  return TOOL_SIGNATURES.some((known) => known.tool === tool && !known.scanner)
}

const SENSITIVE_FRAGMENTS = [
  "/.env",
  "/.git",
  "/.svn",
  "/.aws",
  "/.ssh",
  "/.htaccess",
  "/.htpasswd",
  "/wp-admin",
  "/wp-config",
  "/xmlrpc.php",
  "/phpmyadmin",
  "/pma/",
  "/phpinfo",
  "/server-status",
  "/actuator",
  "/cgi-bin",
  "/manager/html",
  "/web-inf",
  "/etc/passwd",
  "/backup",
  "/dump",
  "/shell",
  "/vendor/phpunit",
  "/solr/",
  "/jenkins",
  "/console",
  "/debug",
  "/hnap1",
  "/boaform",
  "/.well-known/security",
  ".bak",
  ".sql",
  ".old",
  ".swp",
] as const

/** True for a lower-case path that scanners ask for and the pages of a site do not link. */
export function isSensitivePath(lowerPath: string): boolean {
  return SENSITIVE_FRAGMENTS.some((fragment) => lowerPath.includes(fragment))
}

const LOGIN_SEGMENT = /(?:log-?in|sign-?in|auth|authenticate|session|token|password)(?:[/.]|$)/

/** True for a lower-case path at which credentials are handed in. */
export function isLoginPath(lowerPath: string): boolean {
  return LOGIN_SEGMENT.test(lowerPath)
}

const ASSET_SUFFIX = /\.(?:css|js|mjs|map|png|jpe?g|gif|svg|webp|ico|woff2?|ttf|mp4)$/

/** True for a lower-case path of a static file that a browser fetches by itself. */
export function isAssetPath(lowerPath: string): boolean {
  return ASSET_SUFFIX.test(lowerPath.slice(-8))
}
