import type { Random } from "../random.ts"

/** Small vocabularies that the generated sessions draw from. */

export const WORDS = [
  "garden",
  "winter jacket",
  "blue",
  "coffee beans",
  "tax form 2026",
  "how to select a bike",
  "drop shipping",
  "rock & roll",
  "50% off",
  "crème brûlée",
  "Straße",
  "日本語 辞書",
  "order by phone",
  "lamp <40 cm",
  "c++ tutorial",
  "union square hotels",
  "running shoes, size 42",
  "it's a match",
  "alert system",
  "script font",
  "a/b testing",
  "price: 20-40",
] as const

export const NAMES = [
  "Anna Müller",
  "Seán O'Brien",
  "D'Angelo Russo",
  "José García",
  "Li Wei",
  "Fatima al-Zahra",
  "John Smith & Sons",
  "Zoë Kravitz",
  "Олег Иванов",
  "Mary-Jane O'Neil",
] as const

const SENTENCES = [
  "Thanks, that's exactly what I needed!",
  "Please select the second option and drop it off at the desk.",
  "Is the table (oak, 180x90) still available?",
  'I can\'t log in; the page says: "try again later".',
  "Delivery to apt. #4, ring twice -- the bell is weak.",
  "We met at the union meeting; where should I send the order?",
  "1 = yes, 2 = no; I'd say 1.",
  "See https://example.org/faq?id=12&lang=en for details.",
] as const

const SECTIONS = ["products", "blog", "docs", "news", "support", "events", "category"] as const
const SLUGS = ["about-us", "summer-sale", "getting-started", "release-notes", "contact"] as const

export const BROWSER_AGENTS = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
  "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
] as const

export const CRAWLER_AGENTS = [
  "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
  "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
  "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
  "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
] as const

export const API_AGENTS = [
  "okhttp/4.12.0",
  "python-requests/2.32.3",
  "axios/1.7.9",
  "Go-http-client/2.0",
  "ShopApp/5.2 (iOS 18.1)",
  "Java/21.0.5",
] as const

export const MONITOR_AGENTS = [
  "kube-probe/1.31",
  "Prometheus/3.0.1",
  "UptimeRobot/2.0",
  "curl/8.11.0",
  "ELB-HealthChecker/2.0",
] as const

/** The path of a page that a site might have. */
export function pagePath(random: Random): string {
  if (random.chance(0.2)) return "/"
  const section = random.pick(SECTIONS)
  if (random.chance(0.3)) return `/${section}`
  if (random.chance(0.4)) return `/${section}/${random.between(1, 5_000)}`
  return `/${section}/${random.pick(SLUGS)}`
}

export function assetPath(random: Random): string {
  const suffix = random.pick(["css", "js", "png", "svg", "woff2", "jpg"])
  return `/static/${random.hex(8)}.${suffix}`
}

export function sentence(random: Random): string {
  return random.pick(SENTENCES)
}

export function emailOf(random: Random): string {
  const name = random.pick(["anna", "sean.obrien", "jose+shop", "li_wei", "fatima", "zoe"])
  return `${name}${random.between(1, 99)}@example.${random.pick(["com", "org", "net"])}`
}
