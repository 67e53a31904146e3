import type { PayloadKind } from "../../events.ts"
import type { Random } from "../random.ts"
import { fileName, urlPath } from "./benign-paths.ts"
import {
  BENIGN_VALUES,
  dateTime,
  number,
  postalAddress,
  singleLetter,
  token,
} from "./benign-values.ts"
import { digits, type Grammar, hexDigits, identifier, ipAddress, oneOf } from "./grammar.ts"
import { foreignPhrase, personName, sentence, slug, word, words } from "./vocabulary.ts"

/** What ordinary people and programs send in a single field, by the kind of place it stands in. */
export const BENIGN_FIELDS: Readonly<Record<PayloadKind, readonly Grammar[]>> = {
  param: [
    ...BENIGN_VALUES,
    searchReferer,
    linkField,
    linkField,
    url,
    url,
    url,
    assetUrl,
    assetUrl,
    localUrl,
  ],
  path: [urlPath, urlPath, urlPath, scriptPath, scriptPath, fileName, slug, token, number],
  header: [
    userAgent,
    userAgent,
    accept,
    url,
    searchReferer,
    localUrl,
    ipAddress,
    etag,
    dateTime,
    token,
    headerBlock,
  ],
  cookie: [cookie, cookie, token, analyticsId],
  body: [sentence, paragraph, foreignPhrase, postalAddress, message],
  request: [
    queryString,
    queryString,
    queryString,
    linkField,
    linkField,
    analyticsQuery,
    requestLine,
    scriptPath,
    rawRequest,
    loginForm,
  ],
}

function url(random: Random): string {
  return `${random.pick(["http", "https", "https"])}://${random.pick(["www.", ""])}${identifier(random)}.${random.pick(["com", "org", "net", "co.uk"])}${urlPath(random).replace(/^(?!\/)/, "/")}${random.chance(0.4) ? `?${queryString(random)}` : ""}`
}

/** Where pictures, scripts, feeds and callbacks lie, as pages and trackers pass them on. */
function assetUrl(random: Random): string {
  const host = random.pick([
    `${random.pick(["cdn", "static", "img", "api", "m", "t"])}${random.below(9)}.${identifier(random)}.com`,
    `www.${identifier(random)}.${random.pick(["com", "org", "net", "de", "cn"])}`,
    `${identifier(random)}.${identifier(random)}.${random.pick(["co.uk", "com.br", "io"])}:${random.pick(["8080", "443", "3000"])}`,
    ipAddress(random),
  ])
  const file = random.pick([
    `${slug(random)}.${random.pick(["jpg", "png", "gif", "js", "css", "php", "html", "xml", "txt", "swf"])}`,
    `${identifier(random)}.php?${identifier(random)}=${digits(random, 4)}`,
    `${slug(random)}/`,
    `${slug(random)}?${identifier(random)}=${slug(random)}&${identifier(random)}=${digits(random, 2)}`,
    `${hexDigits(random, 16)}_${digits(random, 3)}x${digits(random, 3)}.jpg`,
    "",
  ])
  return `${random.pick(["http://", "https://", "//", ""])}${host}/${random.pick(["", `${word(random)}/`, `${identifier(random)}/${digits(random, 4)}/`])}${file}`
}

/** A field whose name asks for an address or a file, and that gets an ordinary one. */
function linkField(random: Random): string {
  const name = random.pick([
    "url",
    "uri",
    "next",
    "dest",
    "target",
    "redirect",
    "return",
    "goto",
    "continue",
    "callback",
    "webhook",
    "image",
    "page",
    "file",
    "path",
    "dir",
    "template",
    "include",
    "language",
    ...["lang", "name", "filename", "doc", "img", "view", "module", "download", "f", "p"],
    "ref",
    "src",
    "link",
    `${word(random)}_path`,
    identifier(random),
  ])
  const value = oneOf(random, [
    url,
    url,
    assetUrl,
    assetUrl,
    localUrl,
    urlPath,
    scriptPath,
    fileName,
    slug,
    (r) => `//${identifier(r)}.${r.pick(["com", "net", "de"])}/${slug(r)}`,
    (r) => `${ipAddress(r)}${r.pick(["", "/", ":8080/"])}`,
  ])
  const written = random.chance(0.5) ? encodeURIComponent(value) : value
  return random.pick([
    `${name}=${written}`,
    `${name}=${written}`,
    `${name}=${written}&${queryString(random)}`,
    `${scriptPath(random).split("?")[0] ?? ""}?${name}=${written}`,
    JSON.stringify({ [name]: value }),
    JSON.stringify({ [word(random)]: word(random), [name]: value, id: random.below(99) }),
  ])
}

/** What a search engine's result pages were called, with their own short parameters. */
function searchReferer(random: Random): string {
  const host = `www.${random.pick(["google", "bing", "yandex", "baidu", "ecosia", "yahoo"])}.${random.pick(["com", "de", "ru", "co.in", "com.br", "fr", "ca"])}`
  const target = encodeURIComponent(url(random))
  const query = random.pick([
    `/url?sa=t&rct=j&q=&esrc=s&source=web&cd=${random.below(20)}&cad=rja&ved=0C${token(random).replace(/\W/g, "")}&url=${target}&ei=${token(random).replace(/\W/g, "")}&usg=AFQj${token(random).replace(/\W/g, "")}&bvm=bv.${digits(random, 8)},d.${identifier(random).slice(0, 3)}`,
    `/search?q=${words(random, 3).replaceAll(" ", "+")}&ie=utf-8&oe=utf-8&aq=t&rls=org.mozilla:en-US:official&client=firefox-a`,
    `/search?hl=${random.pick(["en", "de", "pt-BR"])}&q=${words(random, 2).replaceAll(" ", "%20")}&biw=1280&bih=${digits(random, 3)}&tbm=isch&sa=1&gs_l=img.3..${digits(random, 2)}l5.${digits(random, 4)}.0`,
    `/cse?cx=${digits(random, 21)}%3A${identifier(random)}&ie=UTF-8&q=${word(random)}&siteurl=${identifier(random)}.com%2F&ref=${target}`,
    `/images?q=${word(random)}&FORM=HDRSC2&first=${random.below(99)}`,
  ])
  return `${random.pick(["http", "https"])}://${host}${query}`
}

function accept(random: Random): string {
  return random.pick([
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "*/*",
    "gzip, deflate, br",
    "en-US,en;q=0.5",
    "application/json, text/plain, */*",
    "no-cache",
    "keep-alive",
    "de-DE,de;q=0.9,en;q=0.7",
    "application/x-www-form-urlencoded; charset=UTF-8",
    "multipart/form-data; boundary=----WebKitFormBoundaryx3Yh",
    "max-age=0, must-revalidate",
    "bytes=0-1023",
    "?0",
    '"Chromium";v="124", "Not-A.Brand";v="99"',
  ])
}

function etag(random: Random): string {
  return `${random.pick(["", "W/"])}"${hexDigits(random, 12)}-${hexDigits(random, 4)}"`
}

function userAgent(random: Random): string {
  const version = `${random.between(40, 140)}.0.${random.between(1000, 9999)}.${random.between(10, 200)}`
  return random.pick([
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version} Safari/537.36`,
    `Mozilla/5.0 (X11; Linux x86_64; rv:${random.between(60, 130)}.0) Gecko/20100101 Firefox/${random.between(60, 130)}.0`,
    `Mozilla/5.0 (iPhone; CPU iPhone OS ${random.between(12, 18)}_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1`,
    `Mozilla/5.0 (compatible; ${word(random)}bot/2.1; +http://www.${identifier(random)}.com/bot.html)`,
    `curl/${random.between(7, 8)}.${random.between(10, 90)}.0`,
    `python-requests/2.${random.between(10, 32)}.0`,
    `Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; WOW64; Trident/4.0; .NET CLR 2.0.50727; ${identifier(random)})`,
    `${identifier(random)}/1.0 (${words(random, 2)}; ${identifier(random)}@example.com)`,
    `Dalvik/2.1.0 (Linux; U; Android 13; ${identifier(random)} Build/TQ3A.${digits(random, 6)})`,
  ])
}

function analyticsId(random: Random): string {
  return `GA1.${random.between(1, 3)}.${digits(random, 9)}.${digits(random, 10)}`
}

function cookie(random: Random): string {
  return random.many(
    random.between(1, 6),
    () => {
      const name = random.pick([
        "_ga",
        "_gid",
        "sessionid",
        "csrftoken",
        "lang",
        "theme",
        "PHPSESSID",
        "JSESSIONID",
        "cart",
        "consent",
        identifier(random),
      ])
      return `${name}=${random.pick([token, analyticsId, word, (r: Random) => `%7B%22${word(r)}%22%3A${r.below(99)}%7D`])(random)}`
    },
    "; ",
  )
}

/** A whole query string of ordinary traffic, its values escaped as browsers do. */
export function queryString(random: Random): string {
  return random.many(
    random.between(1, 8),
    () => {
      const name = random.pick([
        "q",
        "id",
        "page",
        "name",
        "lang",
        "sort",
        "utm_source",
        "ref",
        "category",
        "order",
        "limit",
        "from",
        "to",
        "redirect",
        "callback",
        "email",
        "title",
        "filter[name]",
        "ids[]",
        "user_id",
        "type",
        identifier(random),
        word(random),
      ])
      const value = oneOf(random, BENIGN_FIELDS.param)
      const escaped = encodeURIComponent(value)
      return `${name}=${random.chance(0.6) ? escaped.replaceAll("%20", "+") : escaped}`
    },
    "&",
  )
}

/** Who someone is and what only they know, often as short as those who try a form out make it. */
function loginForm(random: Random): string {
  const user = random.pick(["user", "username", "login", "name", "email", "uid", "account"])
  const password = random.pick(["password", "pass", "passwd", "pwd", "pin", "secret"])
  const value = () =>
    random.pick([word, identifier, token, singleLetter, singleLetter, number])(random)
  const rest = random.pick([
    "",
    "",
    "&submit=Login",
    "&remember=on",
    `&csrf=${hexDigits(random, 16)}`,
  ])
  return `${user}=${encodeURIComponent(value())}&${password}=${encodeURIComponent(value())}${rest}`
}

/** The address of a program on a server, with or without what it is asked. */
function scriptPath(random: Random): string {
  const directories = random.many(
    random.below(4),
    () => `${random.pick([word, identifier, slug])(random)}/`,
  )
  const script = random.pick([
    "index",
    "view",
    "main",
    "default",
    "list",
    "search",
    "login",
    "admin",
    "common",
    "config",
    "include",
    word(random),
    identifier(random),
  ])
  const query = random.chance(0.4) ? `?${queryString(random)}` : ""
  return `/${directories}${script}.${random.pick(["php", "php", "asp", "aspx", "jsp", "do", "action", "cgi", "inc.php", "html"])}${query}`
}

/** Where developers and internal networks send their browsers. */
function localUrl(random: Random): string {
  const host = random.pick([
    "localhost",
    "localhost",
    "127.0.0.1",
    "0.0.0.0",
    `192.168.${random.below(9)}.${random.below(256)}`,
    `10.${random.below(9)}.${random.below(256)}.${random.below(256)}`,
    `${identifier(random)}.local`,
    `${word(random)}`,
  ])
  return `${random.pick(["http://", "http://", "https://", ""])}${host}${random.pick(["", `:${random.between(1024, 9999)}`, ":8080"])}${random.pick(["", "/", urlPath(random).replace(/^(?!\/)/, "/"), "/index.php", "/login", "/callback"])}`
}

/** A message as RFC 9112 writes it, with or without a body. */
function rawRequest(random: Random): string {
  const body = random.chance(0.4) ? `\r\n\r\n${queryString(random)}` : "\r\n\r\n"
  return `${requestLine(random)}\r\n${headerBlock(random)}${body}`
}

function headerBlock(random: Random): string {
  const lines: readonly Grammar[] = [
    (r) =>
      `Host: ${r.pick([`www.${identifier(r)}.com`, "localhost:8080", "127.0.0.1", ipAddress(r)])}`,
    (r) => `User-Agent: ${userAgent(r)}`,
    (r) => `Accept: ${accept(r)}`,
    (r) => `Referer: ${r.pick([url, localUrl])(r)}`,
    (r) => `Cookie: ${cookie(r)}`,
    (r) => `Content-Length: ${r.below(4000)}`,
    (r) =>
      `Content-Type: ${r.pick(["application/x-www-form-urlencoded", "application/json", "text/plain;charset=UTF-8"])}`,
    () => "Connection: close",
    () => "Cache-Control: no-cache",
    (r) => `Origin: ${localUrl(r)}`,
    (r) => `X-Forwarded-For: ${ipAddress(r)}`,
    (r) => `X-${slug(r)}: ${r.pick([word, token, number])(r)}`,
    (r) => `If-None-Match: ${etag(r)}`,
    () => "Upgrade-Insecure-Requests: 1",
  ]
  return random.many(
    random.between(1, 9),
    () => oneOf(random, lines),
    random.pick(["\r\n", "\r\n", "\n"]),
  )
}

function analyticsQuery(random: Random): string {
  return `v=2&tid=G-${identifier(random).toUpperCase()}&_p=${digits(random, 9)}&cid=${digits(random, 9)}.${digits(random, 10)}&ul=en-us&sr=1920x1080&dl=${encodeURIComponent(url(random))}&dt=${encodeURIComponent(sentence(random))}&en=page_view&_et=${digits(random, 4)}&gclid=${token(random).replace(/[^\w-]/g, "")}`
}

function requestLine(random: Random): string {
  return `${random.pick(["GET", "POST", "HEAD"])} ${urlPath(random).replace(/^(?!\/)/, "/")}?${queryString(random)} HTTP/1.1`
}

function paragraph(random: Random): string {
  return random.many(random.between(2, 8), () => sentence(random), random.pick([" ", " ", "\n"]))
}

function message(random: Random): string {
  return `${random.pick(["Hi", "Hello", "Dear", "Hey"])} ${personName(random)},\n\n${paragraph(random)}\n\n${random.pick(["Thanks", "Regards", "Best", "Cheers"])},\n${personName(random)}${random.pick(["", " :)", " <3", " ;-)", "\n--\nSent from my phone", " >_<"])}`
}
