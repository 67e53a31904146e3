import { BlockList, isIP } from "node:net"

/** Addresses in CIDR notation. */
export interface AddressRange {
  /** As it was written. */
  readonly text: string
  /** @param address as producers write it: also with a port, in brackets, or first in a list */
  has(address: string): boolean
}

/** A single address is the range of itself; undefined for what is none. */
export function parseRange(text: string): AddressRange | undefined {
  const [address = "", length] = text.split("/")
  const family = isIP(address)
  const bits = family === 6 ? 128 : 32
  const prefix = length === undefined ? bits : Number(length)
  const isLength = length === undefined || /^\d{1,3}$/.test(length)
  if (family === 0 || !isLength || prefix > bits) return undefined
  const kind = family === 6 ? "ipv6" : "ipv4"
  const list = new BlockList()
  list.addSubnet(address, prefix, kind)
  return {
    text,
    has(written) {
      const other = plainAddress(written)
      return isIP(other) !== 0 && list.check(other, isIP(other) === 6 ? "ipv6" : "ipv4")
    },
  }
}

function plainAddress(written: string): string {
  const [first = ""] = written.split(",", 1)
  const address = first.trim()
  const enclosed = /^\[([^\]]{1,64})\]/.exec(address) ?? /^([\d.]{7,15}):\d{1,5}$/.exec(address)
  return enclosed?.[1] ?? address
}
