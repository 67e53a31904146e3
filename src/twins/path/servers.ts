import { posix } from "node:path"
import { bestFit, decodeOverlong, decodePercent } from "./decodings.ts"

/** One careless way from a parameter to the path that is opened. */
export interface PathServer {
  readonly name: string
  /** Absolute path with `/`, `.` and `..` resolved; undefined where such a server opens nothing. */
  resolve(parameter: string, documentRoot: string): string | undefined
}

const CLIMBS = /(?:^|\/)\.\.(?:\/|$)/

type Opens = (parameter: string, documentRoot: string) => string | undefined

/** Steps of servers that cut at a NUL are those of runtimes that hand the path to C as it is. */
const OPENS: Readonly<Record<string, Opens>> = {
  join: (parameter, root) => (parameter.includes("\0") ? undefined : join(root, parameter)),
  join_cut_at_nul: (parameter, root) => join(root, cutAtNul(parameter)),
  absolute: (parameter, root) => posix.resolve(root, cutAtNul(parameter)),
  backslash: (parameter, root) => posix.resolve(root, windowsPath(cutAtNul(parameter))),
  prefix: (parameter, root) => join(root, `page-${cutAtNul(parameter)}`),
  // one that does not climb names something beside the root by accident: /srv and etc/passwd
  bare_prefix: (parameter, root) =>
    CLIMBS.test(parameter) ? posix.normalize(root + cutAtNul(parameter)) : undefined,
  suffix: (parameter, root) => join(root, cutAtNul(`${parameter}.php`)),
  stripped_once: (parameter, root) => join(root, stripOnce(cutAtNul(parameter))),
  stripped_once_backslash: (parameter, root) =>
    posix.resolve(root, windowsPath(stripOnce(cutAtNul(parameter)))),
  path_parameters: (parameter, root) => join(root, parameter.replace(/;[^/]*/g, "")),
  best_fit: (parameter, root) => posix.resolve(root, windowsPath(bestFit(cutAtNul(parameter)))),
  overlong_utf8: (parameter, root) =>
    posix.resolve(root, windowsPath(cutAtNul(decodeOverlong(parameter)))),
  nul_dropped: (parameter, root) => join(root, parameter.replaceAll("\0", "")),
  wrapper: (parameter, root) => {
    const path = wrappedPath(cutAtNul(parameter))
    return path === undefined ? undefined : posix.resolve(root, windowsPath(path))
  },
}

const DECODERS = {
  "": (text: string) => text,
  "/decoded": decodePercent,
  "/decoded_twice": (text: string) => decodePercent(decodePercent(text)),
} as const

/** Every way of opening behind no, one and two decodings. */
export const PATH_SERVERS: readonly PathServer[] = Object.entries(OPENS).flatMap(
  ([opening, open]) =>
    Object.entries(DECODERS).map(([suffix, decode]) => ({
      name: `${opening}${suffix}`,
      resolve: (parameter: string, documentRoot: string) => open(decode(parameter), documentRoot),
    })),
)

/** Even an absolute parameter stays below the root until it climbs. */
function join(root: string, parameter: string): string {
  return posix.join(root, "/", parameter)
}

function cutAtNul(text: string): string {
  const end = text.indexOf("\0")
  return end < 0 ? text : text.slice(0, end)
}

/** One pass over the text, which is why `....//` comes out as `../`. */
function stripOnce(text: string): string {
  return text.replaceAll("../", "").replaceAll("..\\", "")
}

/** The drive, or the share of the machine itself, is the root. */
function windowsPath(text: string): string {
  const path = text.replaceAll("\\", "/")
  return path
    .replace(/^\/\/[?.]\//, "")
    .replace(/^\/\/(?:localhost|127\.0\.0\.1)\/[a-z]\$/i, "")
    .replace(/^[a-z]:\/?/i, "/")
}

/**
 * The path behind a wrapper of PHP or a URL of the machine's own files.
 *
 * @see https://www.php.net/manual/en/wrappers.php, RFC 8089
 */
function wrappedPath(text: string): string | undefined {
  const filter = /^php:\/\/filter\/.{0,1024}?\bresource=(.+)$/is.exec(text)?.[1]
  const wrapped = filter ?? text
  const url =
    /^(?:(?:jar|view-source|url):)?(?:file|netdoc|compress\.zlib|compress\.bzip2|phar|zip|glob|local_file):(?:\/\/(?:localhost|127\.0\.0\.1)?(?=\/)|\/\/(?=[a-z]:|\.)|(?=\/))(.+)$/is
  const path = url.exec(wrapped)?.[1] ?? filter
  return path?.replace(/[!#?].*$/s, "")
}
