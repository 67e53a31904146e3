import type { OutgoingMessage } from "../stream/types.ts"
import { MESSAGE_BYTES_MAX, type TopicSpec } from "./kafka-client.ts"

/** A topic that messages are sent to. */
export interface ProducedTopic extends TopicSpec {
  /** What goes out instead of a message that is larger than `bytesMax`, which is what the topic takes. */
  instead?(message: OutgoingMessage, bytesMax: number): OutgoingMessage
}

export interface TopicMessages {
  readonly topic: string
  readonly messages: OutgoingMessage[]
}

/** What a record adds to its key and value: lengths, offset, timestamp; the client adds no more. */
const RECORD_OVERHEAD_BYTES = 64

/** One request after the other, in order; each small enough for a single batch of its topic. */
export function* requests(
  messages: Iterable<OutgoingMessage>,
  bytesMax = MESSAGE_BYTES_MAX,
): Generator<TopicMessages[]> {
  let byTopic = new Map<string, TopicMessages>()
  let bytes = 0
  for (const message of messages) {
    const size = messageBytes(message)
    if (bytes > 0 && bytes + size > bytesMax) {
      yield [...byTopic.values()]
      byTopic = new Map()
      bytes = 0
    }
    const { topic } = message
    const batch = byTopic.get(topic)
    if (batch === undefined) byTopic.set(topic, { topic, messages: [message] })
    else batch.messages.push(message)
    bytes += size
  }
  if (byTopic.size > 0) yield [...byTopic.values()]
}

/** At most: a character takes up to three bytes, and to count them exactly costs more than it saves. */
function messageBytes({ key, value, headers }: OutgoingMessage): number {
  let characters = (key?.length ?? 0) + value.length
  for (const name in headers) characters += name.length + (headers[name]?.length ?? 0)
  return RECORD_OVERHEAD_BYTES + 3 * characters
}
