import { expect, test } from "bun:test"
import filterAbortedMessages from "kafkajs/src/consumer/filterAbortedMessages.js"

/*
 * kafkajs as patched here: a read_committed reader must not see a message of a transaction that was
 * aborted, wherever its fetch begins.
 */

function message(offset: number, producerId: string) {
  return { offset: String(offset), key: null, batchContext: { producerId, inTransaction: true } }
}

const aborted = (producerId: string, firstOffset: number) => ({
  producerId,
  firstOffset: String(firstOffset),
})

test("filterAbortedMessages drops both where a fetch begins inside two aborted transactions", () => {
  const messages = [message(105, "b"), message(106, "a"), message(107, "good")]
  const seen = filterAbortedMessages({
    messages,
    abortedTransactions: [aborted("a", 100), aborted("b", 101)],
  })
  expect(seen.map(({ offset }) => offset)).toEqual(["107"])
})

test("filterAbortedMessages takes the transactions in any order", () => {
  const messages = [message(99, "b"), message(100, "a"), message(1_000, "good")]
  const seen = filterAbortedMessages({
    messages,
    abortedTransactions: [aborted("a", 100), aborted("b", 99)],
  })
  expect(seen.map(({ offset }) => offset)).toEqual(["1000"])
})
