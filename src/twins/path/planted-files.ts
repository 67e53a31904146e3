import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join, posix } from "node:path"

/** Files that a machine has, and that no page of a site is: opening one is a leak however it came. */
const SYSTEM_FILES = [
  /^\/(?:etc|proc|sys|boot|root)\/./,
  /^\/var\/(?:log|mail|spool|backups|run\/secrets|lib\/(?:mysql|postgresql))\/./,
  /^\/run\/secrets\/./,
  /^\/home\/[^/]+\/\.[^/]/,
  /^\/(?:usr\/)?s?bin\/[a-z0-9._-]+$/,
  /^\/(?:usr\/local|opt)\/(?:etc|apache2?|httpd|nginx|tomcat\d*|mysql|php)\/./,
  /^\/(?:windows|winnt)\/./i,
  /^\/(?:boot\.ini|autoexec\.bat|config\.sys|pagefile\.sys|ntldr)$/i,
  /^\/inetpub\/(?:logs|wwwroot\/web\.config)/i,
  /^\/(?:flag|secret)(?:\.txt)?$/,
]

/** Files that lie beside a site, above its document root: opened only by climbing. */
const SITE_FILES =
  /^(?:\.env(?:\.[a-z]+)?|\.ht(?:passwd|access)|\.git-credentials|\.npmrc|\.pgpass|\.my\.cnf|\.bash_history|id_(?:rsa|dsa|ecdsa|ed25519)|authorized_keys|credentials(?:\.json)?|wp-config\.php|config(?:uration)?\.(?:php|inc\.php|inc|ini|yml|yaml|json|aspx?|jsp|py|rb|xml)|settings\.(?:php|py)|local_settings\.py|database\.(?:yml|yaml|php|sqlite3?)|secrets?\.(?:yml|yaml|json|txt|key)|web\.(?:xml|config)|context\.xml|tomcat-users\.xml|appsettings\.json|application\.(?:properties|yml)|php\.ini|win\.ini|boot\.ini|my\.cnf|httpd\.conf|nginx\.conf|passwd|shadow|master\.passwd|server\.key|private\.(?:key|pem)|(?:access|error)[._]log|flag(?:\.txt)?)$/i
const GIT_FILES = /\/\.(?:git|svn|aws|ssh)\/./

/**
 * The files of a made-up machine below a directory; each holds the canary. They are written when
 * they are first asked for, so that any number of names costs nothing.
 */
export class PlantedFiles {
  readonly #directory: string
  readonly #content: string
  readonly #planted = new Set<string>()

  constructor(directory: string, canary: string) {
    this.#directory = directory
    this.#content = `planted file, canary ${canary}\n`
  }

  /** Where a path of the machine lies; undefined where the machine has no file of that name. */
  locate(path: string, documentRoot: string): string | undefined {
    if (!this.#planted.has(path)) {
      if (!hasFile(path, documentRoot)) return undefined
      this.#plant(path, join(this.#directory, path))
    }
    return join(this.#directory, path)
  }

  #plant(path: string, place: string): void {
    try {
      mkdirSync(dirname(place), { recursive: true })
      writeFileSync(place, this.#content)
      this.#planted.add(path)
    } catch {
      // A name that no file can have, or one that is a directory of another file: it is not there.
    }
  }
}

/** Path: absolute and resolved. */
function hasFile(path: string, documentRoot: string): boolean {
  if (path.endsWith("/")) return false
  const isScript = path.endsWith(".php") // as a server has it that adds the suffix itself
  if (!isScript && SYSTEM_FILES.some((pattern) => pattern.test(path))) return true
  const isAbove = path !== documentRoot && !path.startsWith(`${documentRoot}/`)
  return isAbove && (SITE_FILES.test(posix.basename(path)) || GIT_FILES.test(path))
}
