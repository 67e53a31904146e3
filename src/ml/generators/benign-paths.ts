import type { Random } from "../random.ts"
import { digits, identifier } from "./grammar.ts"
import { familyName, slug, word } from "./vocabulary.ts"

/** The name of a file as people give it, with or without where it lies. */
export function fileName(random: Random): string {
  const base = random.pick([
    slug,
    identifier,
    (r: Random) => `${familyName(r)}'s ${word(r)} (${r.between(1, 9)})`,
    (r: Random) => `${word(r)} & ${word(r)}`,
  ])(random)
  return `${random.pick(["", "", "images/", "C:\\Users\\me\\Documents\\", "/home/me/", "./", "../img/", "docs/2024/", "~/"])}${base}.${random.pick(["jpg", "png", "pdf", "docx", "tar.gz", "csv", "txt", "html", "js", "css", "php", "log", "conf"])}`
}

/** The path of an ordinary page, picture or program, its query included. */
export function urlPath(random: Random): string {
  const segments = random.many(
    random.between(1, 5),
    () => random.pick([slug, word, (r: Random) => digits(r, 4), identifier])(random),
    "/",
  )
  const end = random.pick([
    "",
    "/",
    ".html",
    ".php",
    ".json",
    ".js",
    ".css?v=3",
    ".min.js",
    "/index.html",
    `?page=${random.below(9)}`,
    "#top",
    "%20x",
    ".jpg",
    "@2x.png",
    `/?C=${random.pick(["N", "M", "S", "D"])};O=${random.pick(["A", "D"])}`,
    `/${random.pick(["config", "settings", "web", "index", "server", "data", "schema", "feed", "manifest", "package", "users", "access"])}.${random.pick(["xml", "json", "xsl", "js", "html", "php", "txt", "ini", "yml", "conf", "log"])}`,
  ])
  const root = random.pick([
    "/",
    "/",
    "",
    "/api/v1/",
    "/static/",
    "/wp-content/",
    `/~${identifier(random)}/`,
    "/cgi-bin/",
    "/files/",
    "/scripts/",
    "/projects/",
    "/download/",
    "/pub/",
    "/images/",
    "/docs/",
    "/includes/",
    "/media/",
    ...["assets", "public", "plugins", "css", "js", "theme", "modules", "api", "v1", "lang"].map(
      (name) => `/${name}/`,
    ),
  ])
  return `${root}${segments}${end}`
}

/** Files where people and programs of their own keep them. */
export function localPath(random: Random): string {
  const tail = `${slug(random)}/${slug(random)}.${random.pick(["js", "ts", "py", "png", "css", "json", "md", "txt", "pdf"])}`
  const up = random.pick(["../", "../../", "./", "../../../"])
  return random.pick([
    `/home/${identifier(random)}/${tail}`,
    `/Users/${identifier(random)}/Documents/${tail}`,
    `/usr/share/${tail}`,
    `/opt/${slug(random)}/bin`,
    `file:///home/${identifier(random)}/${tail}`,
    `C:\\Users\\${identifier(random)}\\${random.pick(["Desktop", "Documents", "Downloads"])}\\${slug(random)}.pdf`,
    `C:\\Program Files\\${word(random)}\\${slug(random)}.exe`,
    `\\\\${word(random)}\\${word(random)}\\${slug(random)}.docx`,
    `~/${tail}`,
    `${up}${tail}`,
    `${up}${word(random)}/index`,
    `${word(random)}/../${tail}`,
    `%APPDATA%\\${word(random)}`,
  ])
}
