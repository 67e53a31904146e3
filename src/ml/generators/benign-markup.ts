import type { Random } from "../random.ts"
import { digits, identifier, oneOf } from "./grammar.ts"
import { foreignPhrase, sentence, slug, word, words } from "./vocabulary.ts"

/** Fragments of ordinary pages: lists, links, captions, forms; no script and no handler. */
export function markup(random: Random): string {
  return random.chance(0.4) ? nested(random, random.between(1, 4)) : fragment(random)
}

/** Markup within markup, sometimes cut where a crawler or an editor would cut it. */
function nested(random: Random, depth: number): string {
  const tag = random.pick(CONTAINERS)
  const inner = random.many(
    random.between(1, 3),
    () => (depth > 1 ? nested(random, depth - 1) : fragment(random)),
    random.pick(["", " ", "\n", "\n  "]),
  )
  const whole = `<${tag}${attributes(random)}>${inner}</${tag}>`
  if (random.chance(0.7)) return whole
  return random.chance(0.5)
    ? whole.slice(random.below(whole.length))
    : whole.slice(0, 40 + random.below(200))
}

const CONTAINERS = [
  "div",
  "div",
  "span",
  "span",
  "ul",
  "ol",
  "li",
  "table",
  "tr",
  "td",
  "tbody",
  "p",
  "section",
  "nav",
  "header",
  "footer",
  "article",
  "figure",
  "cite",
  "i",
  "b",
  "small",
  "sup",
  "dl",
  "dt",
  "blockquote",
] as const

function fragment(random: Random): string {
  return oneOf(random, [
    link,
    (r) => `<li${attributes(r)}>${link(r)}${r.pick(["", ` – ${words(r, 3)}`])}</li>`,
    (r) =>
      `<${r.pick(["p", "h1", "h2", "div", "span", "b", "i", "em", "strong", "td", "th", "blockquote", "label", "cite", "dd", "small", "sup"])}${attributes(r)}>${r.pick([sentence, foreignPhrase, link])(r)}</${r.pick(["p", "h2", "div", "span", "b", "i", "td"])}>`,
    (r) =>
      `<img src="${r.pick(["//", "https://", "/"])}${identifier(r)}/${slug(r)}.${r.pick(["png", "jpg", "svg"])}" alt="${words(r, 3)}" width="${r.between(16, 800)}" height="${r.between(16, 600)}"${r.pick(["", " /", ' loading="lazy"'])}>`,
    (r) =>
      `<input type="${r.pick(["text", "checkbox", "hidden", "submit", "email"])}" name="${word(r)}" value="${words(r, 2)}"${r.pick([" />", ">", " checked>", ' placeholder="search">'])}`,
    (r) => `<table${attributes(r)}><tr><td>${word(r)}</td><td>${digits(r, 3)}</td></tr></table>`,
    (r) => `<ul>${r.many(r.between(1, 4), () => `<li>${word(r)}</li>`)}</ul>`,
    (r) => `<option value="${digits(r, 2)}"${r.pick(["", " selected"])}>${words(r, 2)}</option>`,
    (r) =>
      `<span class="${slug(r)}"><a href="/${slug(r)}" title="${words(r, 3)}">${words(r, 2)}</a> (${r.between(1900, 2030)})</span>`,
    (r) =>
      `<sup id="cite_ref-${r.below(99)}" class="reference"><a href="#cite_note-${r.below(99)}">&#91;${r.below(99)}&#93;</a></sup>`,
    (r) =>
      `${sentence(r)}<br${r.pick([" /", "", "/"])}>${sentence(r)} <${r.pick(["b", "i", "u"])}>${word(r)}</${r.pick(["b", "i", "u"])}>`,
    (r) =>
      `<meta name="${r.pick(["description", "viewport", "author"])}" content="${sentence(r)}">`,
    (r) => `<link rel="stylesheet" href="/${slug(r)}.css">`,
    (r) => `<${r.pick(["hr", "br", "wbr"])}${r.pick(["", "/", " /", ' class="x"'])}>`,
    (r) =>
      `<a href="https://${identifier(r)}.org/${r.many(r.between(1, 4), () => identifier(r), "/")}?${identifier(r)}=${digits(r, 3)}&amp;${identifier(r)}=${encodeURIComponent(words(r, 2))}">${foreignPhrase(r)}</a>`,
    (r) =>
      `<abbr title="${words(r, 2)}">${word(r).toUpperCase()}</abbr> <code>${identifier(r)}()</code> &mdash; &laquo;${words(r, 2)}&raquo;&#160;${digits(r, 2)}&nbsp;km`,
    (r) => `<audio controls src="/${slug(r)}.mp3"></audio><figcaption>${sentence(r)}</figcaption>`,
    (r) =>
      `<a href="#" class="btn" data-toggle="${word(r)}" data-target="#${slug(r)}" aria-expanded="false"><i class="icon-${word(r)}"></i>${word(r)}</a>`,
    (r) => `<!-- ${words(r, r.between(1, 6))} -->`,
    (r) => `</${r.pick(["div", "span", "td", "ul", "section", "body", "table"])}>`,
    (r) => `<video controls width="640"><source src="/${slug(r)}.mp4" type="video/mp4"></video>`,
    (r) => `<button type="submit" class="btn btn-${word(r)}">${word(r)}</button>`,
    (r) =>
      `<svg viewBox="0 0 24 24" width="24"><path d="M${r.below(24)} ${r.below(24)}h${r.below(9)}v-${r.below(9)}z"/></svg>`,
    (r) =>
      `<iframe src="https://www.${identifier(r)}.com/embed/${identifier(r)}" width="560" height="315" frameborder="0" allowfullscreen></iframe>`,
    (r) => `<form action="/${slug(r)}" method="post"><label>${word(r)}</label></form>`,
    (r) => `<style>.${slug(r)}{margin:0 auto}</style>`,
  ])
}

function attributes(random: Random): string {
  return oneOf(random, [
    () => "",
    (r) => ` class="${slug(r)}"`,
    (r) => ` id="${slug(r)}"`,
    (r) => ` style="${r.pick(["text-align:center", "width:50%", "color:#333", "display:none"])}"`,
    (r) => ` data-${word(r)}="${digits(r, 3)}"`,
    (r) =>
      ` role="${r.pick(["navigation", "note", "presentation", "button"])}" aria-label="${words(r, 2)}"`,
    (r) =>
      ` class="${slug(r)} ${slug(r)}-${word(r)}" style="${r.pick(["white-space:nowrap", "position:absolute;left:0", "max-width:40em;", "font-size:88%;line-height:1.5em", "vertical-align:middle;padding:0 5px", "margin-left:0.1em;color:#3a3", "display:inline-block;background:url(/img/a.png)"])}"`,
    (r) =>
      ` colspan="${r.between(2, 6)}" scope="${r.pick(["row", "col"])}" align=${r.pick(["left", '"center"'])} valign="top"`,
    (r) => ` title="${sentence(r).replaceAll('"', "&quot;")}" itemprop="${word(r)}"`,
    (r) => ` lang="${r.pick(["en", "de", "fr"])}" dir="ltr"`,
  ])
}

function link(random: Random): string {
  const target = random.pick(["/wiki/", "https://www.", "/", "#", "//", "mailto:", "http://"])
  return `<a ${random.pick(["", 'rel="nofollow" ', 'class="external text" ', 'target="_blank" '])}href="${target}${slug(random)}"${random.pick(["", ` title="${words(random, 2)}"`])}>${words(random, random.between(1, 4))}</a>`
}
