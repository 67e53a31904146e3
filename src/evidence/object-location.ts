import { LocationRefusedError, MalformedError } from "../errors.ts"

const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/
const SCHEMES = new Set(["minio", "s3"])

/** Longest key that S3 knows, in bytes. */
const KEY_BYTES_MAX = 1_024

/**
 * Splits `minio://<bucket>/<key>` or `s3://<bucket>/<key>`. The key is taken as it stands: it is
 * not percent-decoded.
 *
 * @throws MalformedError when it is no URI; LocationRefusedError for another scheme, a bad bucket
 * name or a key that no store holds
 */
export function parseObjectUri(uri: string, field: string): { bucket: string; key: string } {
  const schemeEnd = uri.indexOf("://")
  if (schemeEnd === -1) throw new MalformedError(field, "minio://bucket/key or s3://bucket/key")
  if (!SCHEMES.has(uri.slice(0, schemeEnd).toLowerCase())) {
    throw new LocationRefusedError(field, "the scheme is neither minio nor s3")
  }
  const rest = uri.slice(schemeEnd + 3)
  const slash = rest.indexOf("/")
  const bucket = slash === -1 ? rest : rest.slice(0, slash)
  const key = slash === -1 ? "" : rest.slice(slash + 1)
  if (!BUCKET.test(bucket)) throw new LocationRefusedError(field, "not a bucket name")
  if (key === "") throw new MalformedError(field, "a key after the bucket")
  if (key.includes("\0") || Buffer.byteLength(key) > KEY_BYTES_MAX) {
    throw new LocationRefusedError(field, `not a key of at most ${KEY_BYTES_MAX} bytes`)
  }
  return { bucket, key }
}
