import type { PayloadClass } from "../../events.ts"
import type { PayloadInput } from "../../ports.ts"
import { Normalizer } from "../text/normalize.ts"

/** What the rules alone say: a second opinion beside the model, never a mask over it. */
export interface SignatureOpinion {
  /** Class with the most matches; `benign` where nothing matched. */
  readonly class: PayloadClass
  /** Names of the signatures that matched, in the order of the table. */
  readonly matched: readonly string[]
}

interface Signature {
  readonly name: string
  readonly class: Exclude<PayloadClass, "benign">
  readonly pattern: RegExp
}

/** Bytes of normalised text that the patterns see. */
const TEXT_MAX = 4096

/**
 * Run on normalised text: lower case, decoded, one blank for white space. Every repeat is bounded
 * and no two repeats of one class are neighbours, so matching is linear.
 */
const SIGNATURES: readonly Signature[] = [
  {
    name: "sql_tautology",
    class: "sql_injection",
    pattern: /['")] ?(?:or|and|\|\||&&) ?['"(]{0,3}(\w{1,32})['"]? ?(?:=|like) ?['"]?\1/,
  },
  {
    name: "sql_union_select",
    class: "sql_injection",
    pattern: /\bunion (?:all |distinct )?select\b/,
  },
  {
    name: "sql_stacked_statement",
    class: "sql_injection",
    pattern: /; ?(?:drop|insert|update|delete|exec|declare|shutdown|create|alter|select|waitfor) /,
  },
  {
    name: "sql_delay",
    class: "sql_injection",
    pattern: /\b(?:sleep|pg_sleep|benchmark) ?\( ?['"\d]|\bwaitfor delay\b/,
  },
  { name: "sql_comment_tail", class: "sql_injection", pattern: /['")] ?(?:--|#|;%00|\/\*)/ },
  {
    name: "sql_schema_probe",
    class: "sql_injection",
    pattern: /\binformation_schema\b|\bsqlite_master\b|\bsysobjects\b|\bxp_cmdshell\b|@@version/,
  },
  {
    name: "sql_error_probe",
    class: "sql_injection",
    pattern: /\b(?:extractvalue|updatexml|utl_inaddr|load_file) ?[.(]/,
  },
  { name: "xss_script_element", class: "xss", pattern: /<script[\s/>]/ },
  {
    name: "xss_event_handler",
    class: "xss",
    pattern:
      /[\s"'/<]on(?:error|load|click|focus|mouse\w{2,8}|toggle|begin|start|animation\w{3,9}|pointer\w{2,8}) ?=/,
  },
  { name: "xss_script_url", class: "xss", pattern: /(?:javascript|vbscript) ?:|data:text\/html/ },
  { name: "xss_script_call", class: "xss", pattern: /['";=>(] ?(?:alert|prompt|confirm) ?[(`]/ },
  { name: "xss_cookie_access", class: "xss", pattern: /document\.(?:cookie|domain|write)/ },
  {
    name: "shell_chained_command",
    class: "command_injection",
    pattern:
      /[;|&`\n(] ?(?:\/(?:usr\/)?s?bin\/)?(?:cat|ls|id|whoami|uname|wget|curl|nc|ncat|bash|sh|ping|nslookup|sleep|echo|dir|type|net|powershell|ifconfig|ipconfig|python3?|perl|php)(?=[\s;|&`)<>'"#]|$)/,
  },
  {
    name: "shell_substitution",
    class: "command_injection",
    pattern: /\$\( ?[a-z/]|`[a-z/]{2,32}[ `]/,
  },
  { name: "shell_device_socket", class: "command_injection", pattern: /\/dev\/(?:tcp|udp)\// },
  {
    name: "shell_interpreter_call",
    class: "command_injection",
    pattern: /\b(?:system|shell_exec|passthru|popen|proc_open|os\.system) ?\( ?['"]/,
  },
  {
    name: "shell_function_import",
    class: "command_injection",
    pattern: /\( ?\) ?\{ ?[:_\w]{0,16} ?;/,
  },
  {
    name: "shell_windows_interpreter",
    class: "command_injection",
    pattern: /\bcmd(?:\.exe)? \/c |\bpowershell(?:\.exe)? -|\bcertutil -urlcache/,
  },
  { name: "path_climb", class: "path_traversal", pattern: /\.\.[/\\;]/ },
  {
    name: "path_sensitive_file",
    class: "path_traversal",
    pattern:
      /^[^ ]{0,64}(?:\/etc\/(?:passwd|shadow|hosts|group)|\/proc\/self\/|win\.ini|boot\.ini|web-inf\/)/,
  },
  { name: "path_wrapper", class: "path_traversal", pattern: /\b(?:php:\/\/filter|file:\/\/\/)/ },
]

const normalizer = new Normalizer()

/** Matches the signatures against a text's normalised form. */
export function signatureOpinion({ text }: PayloadInput): SignatureOpinion {
  const normalized = normalizer.normalize(text.slice(0, TEXT_MAX))
  const bytes = normalized.bytes.subarray(0, Math.min(normalized.length, TEXT_MAX))
  const subject = new TextDecoder().decode(bytes)
  const matched = SIGNATURES.filter(({ pattern }) => pattern.test(subject))
  return { class: mostMatched(matched), matched: matched.map(({ name }) => name) }
}

function mostMatched(matched: readonly Signature[]): PayloadClass {
  const counts = new Map<PayloadClass, number>()
  for (const signature of matched) {
    counts.set(signature.class, (counts.get(signature.class) ?? 0) + 1)
  }
  let best: readonly [PayloadClass, number] = ["benign", 0]
  for (const [name, count] of counts) if (count > best[1]) best = [name, count]
  return best[0]
}
