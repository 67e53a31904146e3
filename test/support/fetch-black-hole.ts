import { createServer, type Server, type Socket, connect as tcpConnect } from "node:net"

/** Kafka's number for a fetch request. */
const FETCH = 1

export interface BlackHole {
  readonly port: number
  /** From now on no fetch of the connections open now is ever answered; everything else goes on. */
  swallowFetches(): void
  close(): void
}

/** A proxy before one broker that can make fetches vanish while the connection stays healthy. */
export async function fetchBlackHole(broker: string): Promise<BlackHole> {
  const [host = "", port] = broker.split(":")
  const open = new Set<Socket>()
  const swallowing = new Set<Socket>()
  const server: Server = createServer((client) => {
    const upstream = tcpConnect(Number(port), host)
    open.add(client)
    upstream.pipe(client)
    client.on(
      "data",
      frames((frame, apiKey) => {
        if (apiKey !== FETCH || !swallowing.has(client)) upstream.write(frame)
      }),
    )
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      socket.on("error", () => other.destroy())
      socket.on("close", () => other.destroy())
    }
    client.on("close", () => open.delete(client))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    swallowFetches() {
      for (const client of open) swallowing.add(client)
    },
    close() {
      for (const client of open) client.destroy()
      server.close()
    },
  }
}

/** Cuts a stream into Kafka requests: a length of four bytes, then the number of the request. */
function frames(onFrame: (frame: Buffer, apiKey: number) => void): (chunk: Buffer) => void {
  let waiting: Buffer = Buffer.alloc(0)
  return (chunk) => {
    waiting = Buffer.concat([waiting, chunk])
    while (waiting.length >= 4 && waiting.length >= 4 + waiting.readInt32BE(0)) {
      const frame = waiting.subarray(0, 4 + waiting.readInt32BE(0))
      waiting = waiting.subarray(frame.length)
      onFrame(frame, frame.readInt16BE(4))
    }
  }
}
