import { MalformedError } from "../errors.ts"
import type { SessionContext } from "../events.ts"
import { FieldReader, isJsonObject } from "./field-reader.ts"

const TAGS_MAX = 256
const TEXT_CHARS_MAX = 512

/**
 * What an event's `tags` and `meta` say of its session; both are optional, and so is each member.
 * @throws MalformedError for a wrong type
 */
export function readContext(fields: FieldReader): SessionContext {
  const meta = fields.object("meta")
  return {
    tags: readTags(fields),
    ...readAttackerIp(meta),
    isTor: meta.flag("is_tor") ?? false,
    isVpn: meta.flag("is_vpn") ?? false,
    priorPoiCount: Math.max(0, meta.number("prior_poi_count") ?? 0),
    ...readOrigin(meta),
  }
}

/** @throws MalformedError for more than TAGS_MAX tags, or one that is no short string */
export function readTags(fields: FieldReader): readonly string[] {
  const tags = fields.list("tags") ?? []
  if (tags.length > TAGS_MAX) throw new MalformedError(fields.path("tags"), `at most ${TAGS_MAX}`)
  return tags.map((tag, index) => {
    if (typeof tag === "string" && tag.length <= TEXT_CHARS_MAX) return tag
    throw new MalformedError(fields.path(`tags[${index}]`), `a string up to ${TEXT_CHARS_MAX}`)
  })
}

/** An address or, as one producer writes it, a host name. */
export function readAttackerIp(fields: FieldReader): { attackerIp?: string } {
  const attackerIp = shortText(fields, "attacker_ip")
  return attackerIp === undefined ? {} : { attackerIp }
}

/** Country and autonomous system; the system's number may come as a number. */
function readOrigin(fields: FieldReader): { country?: string; asn?: string } {
  const country = shortText(fields, "country")
  const asn =
    typeof fields.value("asn") === "number"
      ? String(fields.number("asn"))
      : shortText(fields, "asn")
  return { ...(country === undefined ? {} : { country }), ...(asn === undefined ? {} : { asn }) }
}

/**
 * Fills what the event left open from the evidence's own metadata (form B, archives): the event
 * was written last and wins.
 */
export function withMetadata(context: SessionContext, metadata: unknown): SessionContext {
  if (metadata === undefined || metadata === null) return context
  const fields = new FieldReader(metadata, "metadata")
  const session = fields.object("session_metadata")
  return {
    ...readGeoip(session.value("geoip")),
    ...readAttackerIp(session),
    ...context,
    tags: context.tags.length > 0 ? context.tags : readTags(fields),
  }
}

/** No producer says what its `geoip` holds: what is not as expected is left alone. */
function readGeoip(geoip: unknown): { country?: string; asn?: string } {
  if (!isJsonObject(geoip)) return {}
  const { country, country_code: countryCode, asn } = geoip
  const place = [countryCode, country].find((value) => isShortText(value))
  return {
    ...(isShortText(place) ? { country: place } : {}),
    ...(isShortText(asn) || Number.isSafeInteger(asn) ? { asn: String(asn) } : {}),
  }
}

function isShortText(value: unknown): value is string {
  return typeof value === "string" && value.length <= TEXT_CHARS_MAX
}

function shortText(fields: FieldReader, name: string): string | undefined {
  const value = fields.text(name)
  if (value === undefined || value.length <= TEXT_CHARS_MAX) return value
  throw new MalformedError(fields.path(name), `at most ${TEXT_CHARS_MAX} characters`)
}
