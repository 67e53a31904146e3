import type { RecordedTask } from "../simulation-result.ts"
import type { WritingSink } from "../stream/types.ts"
import type { Kafka } from "./kafka-client.ts"
import { KafkaPublisher } from "./kafka-publisher.ts"

interface TaskSinkOptions {
  readonly name: string
  readonly topic: string
  /** What a finished task of the simulation announces there; each becomes one message. */
  events(task: RecordedTask): readonly object[]
}

/**
 * Publishes events of the simulation flow; key = session id.
 *
 * At least once: a repeated message has the same event id.
 * @throws TooLargeError, not retryable; UnavailableError, retryable
 */
export function kafkaTaskSink(
  kafka: Kafka,
  { name, topic, events }: TaskSinkOptions,
): WritingSink<RecordedTask> {
  const publisher = new KafkaPublisher(kafka, [{ topic }])
  return {
    name,
    guarantee: "at-least-once",
    concurrency: 16,
    async write(input, { signal }) {
      const key = input.task.sessionId
      const messages = events(input).map((event) => ({ topic, key, value: JSON.stringify(event) }))
      await publisher.publish(messages, signal)
    },
    close: () => publisher.close(),
  }
}
