import type { PayloadKind } from "../events.ts"
import { type PayloadCollector, shortened } from "./payload-collector.ts"
import { FIELDS_MAX, type RawField } from "./request-target.ts"

const NAME_CHARS_MAX = 64
const PLAIN_NAME = /^[\w.\-[\]]{0,64}$/

/**
 * Adds the values of named fields at `<place>:<name>`, and a name that is no plain identifier at
 * `<place>-name`: attackers inject into names as well.
 */
export function mineFields(
  fields: readonly RawField[],
  { place, kind }: { place: string; kind: PayloadKind },
  collector: PayloadCollector,
): void {
  if (fields.length > FIELDS_MAX) collector.truncated = true
  for (const { name, value } of fields) {
    if (name === undefined) {
      collector.add(value, kind, place)
      continue
    }
    collector.add(value, kind, `${place}:${shortened(name, NAME_CHARS_MAX)}`)
    if (!PLAIN_NAME.test(name)) collector.add(name, kind, `${place}-name`)
  }
}
