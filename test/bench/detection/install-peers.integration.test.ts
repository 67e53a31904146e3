import { expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { installPeers, peerCache } from "../../../bench/detection/install-peers.ts"
import { judgeByPeer } from "../../../bench/detection/peer.ts"
import type { LabelledPayload } from "../../../src/ml/evaluation/labelled-payloads.ts"

const ATTACKS: readonly LabelledPayload[] = [
  { text: "1' OR '1'='1' -- ", label: "sql_injection", source: "test" },
  { text: "<script>alert(document.cookie)</script>", label: "xss", source: "test" },
]
const BENIGN: readonly LabelledPayload[] = [
  { text: "hello world", label: "benign", source: "test" },
  { text: "blue trousers size 42", label: "benign", source: "test" },
]

/** What `./sentinel bench detection` has put into the cache; a test downloads nothing. */
const isInstalled = existsSync(peerCache(Bun.env))
if (!isInstalled) process.stderr.write("peers skipped: run ./sentinel bench detection first\n")

test.skipIf(!isInstalled)(
  "installPeers gives programs that know plain attacks from plain text",
  async () => {
    const training = [...ATTACKS, ...BENIGN]
    const peers = await installPeers({ env: Bun.env, training, progress: () => {} })
    expect(peers.filter((peer) => "reason" in peer)).toEqual([])
    for (const peer of peers) {
      if ("reason" in peer || peer.name.endsWith("pl4")) continue // pl4 blocks plain text, too
      const judgements = await judgeByPeer(peer, training)
      const classes = judgements.map((judgement) => judgement.class)
      expect([peer.name, ...classes]).toEqual([
        ...[peer.name, "sql_injection", "xss"],
        ...["benign", "benign"],
      ])
    }
  },
  120_000,
)
