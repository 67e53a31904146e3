import type { Random } from "../random.ts"

/** What Node.js calls the environment of its process: as text, which nobody here reads it by. */
export const NODE_ENVIRONMENT = ["process", "env"].join(".")

const ENGLISH =
  `about account action address after again all also always and any area around article ask
  at available back bank base be because been before begin best better between big book both box bring
  build business but by call can card case cat change chart check child city class clear click close
  code color come command common company complete connect contact content copy cost could country course
  create current customer data date day deep default delete deliver design detail develop device different
  direct discuss do document down drive drop each early easy edit email end engine enter error even event
  every example execute exist expert export fact family fast feature field file fill filter find first
  follow food for form free friend from full function game garden general get gift give go good great group
  grow guide hand have head health help here high history home host hotel hour house how human idea image
  import in include index information input insert install into issue it item join just keep key kind know
  language large last late law lead learn left less letter level library life light like limit line link
  list little live load local long look love low machine mail main make manage many map market match matter
  may mean measure meet member menu message method mind minute model money month more most move music must
  my name national near need network never new news next night no not note notice now number of off offer
  office often old on once one online only open option or order other our out over own page paper part
  party password pay people perfect person phone photo place plan play please point policy post power
  present price print private problem process product profile program project provide public question
  quick quiet rate read ready real reason receive record region release remember remove reply report
  request require reset result return review right road room rule run safe sale same save say school
  score screen script search season second section security see select sell send server service session
  set shop short show side sign simple since site size sleep small social some sort sound source space
  special start state station still stop store story street strong student study style subject submit
  such summer support sure system table take talk team tell term test text than thank that the their them
  then there these they thing think this through time title to today together tool top total town track
  trade travel tree true try turn type under union update upper us use user value very view visit voice
  wait walk want water way we weather web week well what when where which while white who why will window
  winter with within without woman word work world would write year yes yesterday you young your`.split(
    /\s+/,
  )

const LANGUAGES: readonly (readonly string[])[] = [
  "der die das und ist nicht mit für auf dem ein eine von zu im Straße Größe Überblick schön Bestellung Müller über können Jahr Zeit Menschen Haus Wasser groß klein heute morgen Grüße Öffnungszeiten",
  "le la les et est dans pour que qui une avec sur pas plus très où été déjà français élève garçon l'eau d'accord aujourd'hui c'est n'est j'ai qu'il maison année temps monde réponse commande être",
  "el la los y es en para que una con por no más señor niño mañana año qué dónde también español corazón información teléfono dirección pedido gracias hola tiempo mundo casa número página",
  "o a os e é em para que uma com por não mais você coração informação endereço pedido obrigado olá tempo mundo casa número página São João ação são também até já",
  "il la gli e è in per che una con non più perché città l'amico dell'arte c'è un'altra tempo mondo casa numero pagina grazie ciao ordine qualità università libertà",
  "и в не на я что он с как это по но они мы все она так его за был меня только ты мне было вот от же нет человек время дом работа вопрос спасибо заказ адрес телефон",
  "这 是 一 个 例子 我们 的 公司 产品 服务 信息 时间 世界 中国 您好 谢谢 请 选择 订单 地址 电话 搜索 结果 更新 用户 密码 测试 天气 今天 明天 学习",
  "これ は テスト です 私 の 会社 製品 サービス 情報 時間 世界 日本 こんにちは ありがとう 選択 注文 住所 電話 検索 結果 更新 ユーザー 今日 明日 天気",
  "هذا مثال على النص العربي شكرا مرحبا الوقت العالم البيت الطلب العنوان الهاتف البحث النتائج اليوم غدا مدينة كتاب",
  "यह एक उदाहरण है धन्यवाद नमस्ते समय दुनिया घर आदेश पता फोन खोज परिणाम आज कल शहर पुस्तक",
  "이것 은 예제 입니다 감사합니다 안녕하세요 시간 세계 집 주문 주소 전화 검색 결과 오늘 내일 도시 책",
  "bu bir örnek teşekkürler merhaba zaman dünya ev sipariş adres telefon arama sonuç bugün yarın şehir kitap güzel çok ışık",
  "to jest przykład dziękuję cześć czas świat dom zamówienie adres telefon szukaj wynik dziś jutro miasto książka źródło łódź",
].map((words) => words.split(/\s+/))

const GIVEN =
  `James Mary John Patricia Robert Jennifer Michael Linda David Elizabeth Maria Anna José Luis Ana
  François Zoë Björn Søren Ingrid Yuki Wei Fatima Omar Aisha Olga Ivan Priya Raj Chloé Renée Noël Siân
  Jean-Luc Mary-Jane Anne-Marie Sean Liam Noah Emma Olivia Select Drew`.split(/\s+/)
const FAMILY =
  `Smith Johnson Brown Garcia Miller Davis Martinez Lopez Wilson Anderson Thomas Taylor Moore
  O'Brien O'Connor O'Neill O'Reilly O'Malley O'Hara O'Sullivan D'Angelo D'Souza D'Arcy L'Oréal Dell'Acqua
  M'Bappé N'Diaye T'Challa Müller Schröder Łukasz Nguyen Tanaka Kim Singh Ivanova Al-Rashid van\u0020der\u0020Berg
  Smith-Jones McDonald Union Drop Null Table Order`.split(/ (?!der|Berg)\s*|\n\s*/)
const COMPANY = [
  "& Sons",
  "& Co.",
  "& Daughters",
  "Ltd.",
  "GmbH",
  "Inc.",
  "LLC",
  "(UK) Ltd",
  "Bros.",
  "& Partners",
  "S.A.",
  "Group",
  "- Consulting",
  "+ Friends",
]

export function word(random: Random): string {
  return random.pick(ENGLISH)
}

export function words(random: Random, count: number): string {
  return random.many(count, () => word(random), " ")
}

/** An English sentence with the punctuation of ordinary writing. */
export function sentence(random: Random): string {
  const middle = random.many(
    random.between(3, 14),
    () => {
      const next = word(random)
      if (random.chance(0.06)) return `${next},`
      if (random.chance(0.03))
        return random.pick([
          `"${next}"`,
          `'${next}'`,
          `(${next})`,
          `${next}'s`,
          `${next};`,
          `${next}:`,
          `${next} -`,
          `${next}/${word(random)}`,
          `${next} & ${word(random)}`,
        ])
      if (random.chance(0.04))
        return random.pick([
          "don't",
          "it's",
          "can't",
          "you're",
          "I'm",
          "won't",
          "we've",
          "let's",
          "isn't",
          "that's",
          "O'Clock",
          "rock 'n' roll",
          "'90s",
        ])
      return next
    },
    " ",
  )
  return `${middle.slice(0, 1).toUpperCase()}${middle.slice(1)}${random.pick([".", ".", ".", "?", "!", "...", "!!", ""])}`
}

/** A phrase in another language and, often, script. */
export function foreignPhrase(random: Random): string {
  const language = random.pick(LANGUAGES)
  return random.many(random.between(2, 12), () => random.pick(language), " ")
}

export function personName(random: Random): string {
  const name = `${random.pick(GIVEN)} ${random.pick(FAMILY)}`
  return random.chance(0.15) ? name.toLowerCase() : name
}

export function familyName(random: Random): string {
  return random.pick(FAMILY)
}

export function companyName(random: Random): string {
  return `${random.pick(FAMILY)}${random.chance(0.2) ? "'s" : ""} ${random.pick(COMPANY)}`
}

export function slug(random: Random): string {
  return random.many(random.between(1, 5), () => word(random), random.pick(["-", "_", "-", ""]))
}
